import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { post, startWorkingStand, uniquePhoto, until, WITH_MONGO } from './stand.js';

const REQUESTS = 300;
const AT_A_TIME = 30;

/** A way to the database on which everything can be cut, as by a server that dies. */
async function openForwarder(address) {
  const sockets = new Set();
  const forwarder = createServer((socket) => {
    const upstream = connect(Number(address.port || 27017), address.hostname);
    for (const end of [socket, upstream]) {
      sockets.add(end);
      end.on('error', () => {}).on('close', () => sockets.delete(end));
    }
    socket.pipe(upstream).pipe(socket);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => forwarder.on('listening', resolve));
  return {
    port: forwarder.address().port,
    cut: () => sockets.forEach((socket) => socket.resetAndDestroy()),
    close: () => {
      forwarder.close();
      sockets.forEach((socket) => socket.destroy());
    },
  };
}

describe('a database that dies again and again', WITH_MONGO, () => {
  let stand;
  let forwarder;
  before(async () => {
    const address = new URL(process.env.MONGO_URL);
    forwarder = await openForwarder(new URL(address));
    address.host = `127.0.0.1:${forwarder.port}`;
    stand = await startWorkingStand({
      MONGO_URL: address.href,
      REQUESTS_PER_MINUTE: '0',
      UPLOADS_PER_MINUTE: '0',
    });
  });
  after(() => stand.drop().finally(() => forwarder.close()));

  for (const [name, ask] of [
    ['reading', () => fetch(`${stand.url}/api/analyses`)],
    ['writing', () => post(stand.url, { photo: uniquePhoto(300_000) })],
  ]) {
    test(`${name} is answered, or 503 with Retry-After`, async () => {
      const seen = {};
      const timer = setInterval(forwarder.cut, 70);
      const askSome = async () => {
        for (let i = 0; i < REQUESTS / AT_A_TIME; i += 1) {
          const response = await ask();
          const isTold = response.status === 503 && response.headers.has('Retry-After');
          const body = await response.json();
          const key = response.ok ? 'ok' : isTold ? '503' : `${response.status} ${body.detail}`;
          seen[key] = (seen[key] ?? 0) + 1;
        }
      };
      await Promise.all(Array.from({ length: AT_A_TIME }, askSome)).finally(() => clearInterval(timer));
      assert.deepEqual(
        Object.keys(seen).filter((key) => !['ok', '503'].includes(key)),
        [],
        JSON.stringify(seen),
      );
      assert.ok(seen['503'] > 0, 'no connection was cut');
      await until(async () => (await ask()).ok, { what: 'the database' });
    });
  }
});
