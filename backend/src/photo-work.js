import { buffer } from 'node:stream/consumers';

/**
 * What is done about a photo: its poses, and a thumbnail.
 *
 * @param {object} job
 * @param {{media: import('./media-store.js').MediaStore, pose: import('./pose-client.js').PoseClient,
 *   thumbnails: import('./thumbnails.js').Thumbnails, logger: object}} services
 * @param {AbortSignal} signal
 * @returns {Promise<object>} the results that JobQueue.finish takes
 */
export async function workOnPhoto({ id, file }, { media, pose, thumbnails, logger }, signal) {
  const { contentType, options, requestId } = file.metadata;
  const sent = { contentType, bytes: file.length, source: media.read(id) };
  const answer = await pose.estimate(sent, { ...options, requestId }, signal);
  const hasThumbnail = await makeThumbnail(id, { media, thumbnails, logger });
  return { pose: answer, people: answer.people.length, hasThumbnail };
}

// A photo that only the pose-service can read (BMP) is an analysis like any other.
async function makeThumbnail(id, { media, thumbnails, logger }) {
  try {
    await thumbnails.make(id, await buffer(media.read(id)));
    return true;
  } catch (error) {
    logger.info({ id, cause: error.message }, 'no thumbnail');
    return false;
  }
}
