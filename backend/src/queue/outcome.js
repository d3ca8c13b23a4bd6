import { isFinal } from '../store/analysis.js';

/**
 * Wait until an analysis is done or has failed.
 *
 * @param {import('../store/change-feed.js').ChangeFeed} feed
 * @param {import('mongodb').ObjectId} id
 * @param {number} milliseconds  at most
 * @returns {Promise<void>} also when the time is over
 */
export async function waitForOutcome(feed, id, milliseconds) {
  await new Promise((resolve) => {
    const timer = setTimeout(end, milliseconds);
    const stopListening = feed.listen(id, (file) => {
      if (!file || file.metadata.isDeleted || isFinal(file.metadata.status)) end();
    });
    function end() {
      clearTimeout(timer);
      stopListening();
      resolve();
    }
  });
}
