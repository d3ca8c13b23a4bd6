import { setTimeout as sleep } from 'node:timers/promises';
import { Analyses } from './store/analyses.js';
import { ChangeFeed } from './store/change-feed.js';
import { Database } from './store/database.js';
import { Frames } from './store/frames.js';
import { prepareIndexes } from './store/indexes.js';
import { Janitor } from './queue/janitor.js';
import { JobQueue } from './store/job-queue.js';
import { MediaStore } from './store/media-store.js';
import { migrate } from './store/migration.js';
import { Pictures } from './media/pictures.js';
import { PoseClient } from './pose/pose-client.js';
import { Thumbnails } from './media/thumbnails.js';
import { Worker } from './queue/worker.js';

const RETRY_MS = 1000;

/** Everything a handler can ask for, made from the settings; nothing is connected yet. */
export function createServices(settings, logger) {
  const database = new Database(settings);
  const services = {
    settings,
    logger,
    database,
    analyses: new Analyses(database),
    media: new MediaStore(database),
    frames: new Frames(database),
    thumbnails: new Thumbnails(database),
    pictures: new Pictures(database),
    queue: new JobQueue(database.own, settings),
    feed: new ChangeFeed(database, logger),
    pose: new PoseClient(settings),
  };
  services.worker = new Worker(services);
  services.janitor = new Janitor(services);
  return services;
}

/**
 * Prepare the database as soon as it is there, however long that takes, and begin to work.
 *
 * @param {AbortSignal} signal  gives up
 */
export async function startServices({ database, worker, janitor, logger }, signal) {
  for (let lastReason = null; !signal.aborted;) {
    try {
      // A first connection that failed is not tried again by the driver.
      await database.connect();
      const facts = { migrated: await migrate(database), indexes: await prepareIndexes(database) };
      database.isReady = true;
      logger.info(facts, 'database ready');
      worker.start();
      janitor.start();
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
