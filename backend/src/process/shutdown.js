import { setTimeout as sleep } from 'node:timers/promises';

const GRACE_MS = 1000;
const CLOSE_MS = 400;

/**
 * Stop in under two seconds: take no more requests, put running work back into the queue, let answers
 * out, cut what is left (event streams, slow uploads), close the database.
 *
 * @param {import('node:http').Server} server
 * @param {{worker: import('../queue/worker.js').Worker, janitor: import('../queue/janitor.js').Janitor,
 *   database: import('../store/database.js').Database}} services
 */
export async function shutDown(server, { worker, janitor, database }) {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  janitor.stop();
  await Promise.race([Promise.all([worker.stop(), closed]), sleep(GRACE_MS)]);
  server.closeAllConnections();
  await Promise.race([database.close(), sleep(CLOSE_MS)]);
}
