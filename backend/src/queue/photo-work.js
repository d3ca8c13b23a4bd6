/**
 * What is done about a photo: its poses, a copy where browsers cannot show it, and a thumbnail.
 *
 * @param {object} job
 * @param {{media: import('../store/media-store.js').MediaStore, pose: import('../pose/pose-client.js').PoseClient,
 *   pictures: import('../media/pictures.js').Pictures, thumbnails: import('../media/thumbnails.js').Thumbnails,
 *   logger: object}} services
 * @param {AbortSignal} signal
 * @returns {Promise<object>} the results that JobQueue.finish takes
 */
export async function workOnPhoto({ file }, { media, pose, pictures, thumbnails, logger }, signal) {
  const { contentType, needsCopy, options, requestId } = file.metadata;
  const open = () => ({ contentType, bytes: file.length, source: media.read(file) });
  const answer = await pose.estimate(open(), { ...options, requestId }, signal);
  const copy = needsCopy ? await pose.makePicture(open(), { requestId }, signal) : null;
  if (copy) await pictures.keep(file._id, copy);
  const read = copy ? async () => copy : () => readWhole(file, media);
  const hasThumbnail = await makeThumbnail(file, read, { thumbnails, logger });
  return { pose: answer, people: answer.people.length, hasThumbnail, hasCopy: copy !== null };
}

// A photo that only the pose-service can read (BMP), or that takes too much memory here, is an analysis
// like any other.
async function makeThumbnail({ _id }, read, { thumbnails, logger }) {
  try {
    await thumbnails.make(_id, read);
    return true;
  } catch (error) {
    logger.info({ id: _id, cause: error.message }, 'no thumbnail');
    return false;
  }
}

const MAX_FILE_BYTES = 64 * 1024 * 1024;

// Not collected and joined, which would hold all of it twice.
async function readWhole(file, media) {
  const { length } = file;
  if (length > MAX_FILE_BYTES) throw new RangeError(`a file of ${length} bytes is too large for it`);
  const whole = Buffer.allocUnsafe(length);
  let offset = 0;
  for await (const chunk of media.read(file)) offset += chunk.copy(whole, offset);
  return whole;
}
