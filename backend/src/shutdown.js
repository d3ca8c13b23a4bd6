import { setTimeout as sleep } from 'node:timers/promises';

const GRACE_MS = 1000;
const CLOSE_MS = 400;

/**
 * Stop in under two seconds: take no more requests, end estimates and let their answers out, cut what
 * is left (event streams, slow uploads), close the database.
 *
 * @param {import('node:http').Server} server
 * @param {{estimator: import('./estimator.js').Estimator, storage: import('./storage.js').Storage}} services
 */
export async function shutDown(server, { estimator, storage }) {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  await Promise.race([Promise.all([estimator.stop(), closed]), sleep(GRACE_MS)]);
  server.closeAllConnections();
  await Promise.race([storage.close(), sleep(CLOSE_MS)]);
}
