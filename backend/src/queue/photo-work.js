/**
 * What is done about a photo: its poses, and a thumbnail.
 *
 * @param {object} job
 * @param {{media: import('../store/media-store.js').MediaStore, pose: import('../pose/pose-client.js').PoseClient,
 *   thumbnails: import('../media/thumbnails.js').Thumbnails, logger: object}} services
 * @param {AbortSignal} signal
 * @returns {Promise<object>} the results that JobQueue.finish takes
 */
export async function workOnPhoto({ id, file }, { media, pose, thumbnails, logger }, signal) {
  const { contentType, options, requestId } = file.metadata;
  const sent = { contentType, bytes: file.length, source: media.read(id) };
  const answer = await pose.estimate(sent, { ...options, requestId }, signal);
  const hasThumbnail = await makeThumbnail(file, { media, thumbnails, logger });
  return { pose: answer, people: answer.people.length, hasThumbnail };
}

// A photo that only the pose-service can read (BMP), or that takes too much memory here, is an analysis
// like any other.
async function makeThumbnail(file, { media, thumbnails, logger }) {
  try {
    await thumbnails.make(file._id, () => readWhole(file, media));
    return true;
  } catch (error) {
    logger.info({ id: file._id, cause: error.message }, 'no thumbnail');
    return false;
  }
}

const MAX_FILE_BYTES = 64 * 1024 * 1024;

// Not collected and joined, which would hold all of it twice.
async function readWhole({ _id, length }, media) {
  if (length > MAX_FILE_BYTES) throw new RangeError(`a file of ${length} bytes is too large for it`);
  const whole = Buffer.allocUnsafe(length);
  let offset = 0;
  for await (const chunk of media.read(_id)) offset += chunk.copy(whole, offset);
  return whole.subarray(0, offset);
}
