import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from './database.js';
import { Estimator, INTERRUPTED } from './estimator.js';
import { PoseClient } from './pose-client.js';
import { Progress } from './progress.js';
import { Storage } from './storage.js';

const RETRY_MS = 1000;

/** Everything a handler can ask for, made from the settings; nothing is connected yet. */
export function createServices(settings, logger) {
  const storage = new Storage(createClient(settings), settings.mongoDatabase);
  const pose = new PoseClient(settings);
  const progress = new Progress();
  const estimator = new Estimator({ storage, pose, progress, logger, concurrency: settings.poseConcurrency });
  return { settings, logger, storage, pose, progress, estimator };
}

/**
 * Prepare the database as soon as it is there, however long that takes.
 *
 * @param {AbortSignal} signal  gives up
 */
export async function prepareStorage({ storage, logger }, signal) {
  for (let lastReason = null; !signal.aborted;) {
    try {
      logger.info(await storage.prepare(INTERRUPTED.toJSON()), 'database ready');
      return;
    } catch (error) {
      if (error.message !== lastReason && !signal.aborted) {
        logger.warn({ cause: error.message }, 'database not ready, trying again');
      }
      lastReason = error.message;
    }
    await sleep(RETRY_MS, undefined, { signal }).catch(() => {});
  }
}
