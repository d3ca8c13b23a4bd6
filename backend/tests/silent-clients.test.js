import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { analyse, makePhoto, post, startWorkingStand, uniquePhoto, until, WITH_MONGO } from './stand.js';

const READERS = 64;
const MB = 1024 * 1024;

describe('clients that stand still', WITH_MONGO, () => {
  let stand;
  before(async () => {
    stand = await startWorkingStand({ MAX_UPLOAD_MB: '32' });
  });
  after(() => stand.drop());

  function open(...lines) {
    const socket = connect(Number(new URL(stand.url).port), '127.0.0.1');
    socket.on('error', () => {});
    socket.write([...lines, ''].join('\r\n'));
    return socket;
  }

  test('hold a piece of what they do not read, not sixteen', async () => {
    const { id } = await analyse(stand.url, { photo: uniquePhoto(24 * MB) });
    const before = process.memoryUsage.rss();
    const request = [`GET /api/analyses/${id}/media HTTP/1.1`, 'Host: localhost', ''];
    const sockets = Array.from({ length: READERS }, () => open(...request).pause());
    let most = 0;
    for (let i = 0; i < 20; i += 1) {
      await sleep(150);
      most = Math.max(most, process.memoryUsage.rss() - before);
    }
    for (const socket of sockets) socket.destroy();
    assert.ok(most < 4 * READERS * MB, `${Math.round(most / MB)} MB`);
  });

  test('are ended, and their places are free', async () => {
    stand.server.timeout = 1500;
    const boundary = 'cut';
    const form = [
      'POST /api/analyses HTTP/1.1',
      'Host: localhost',
      `Content-Type: multipart/form-data; boundary=${boundary}`,
      'Content-Length: 100000',
      '',
      `--${boundary}`,
      'Content-Disposition: form-data; name="media"; filename="a.png"',
      '',
      makePhoto(100).toString('latin1'),
    ];
    const sockets = Array.from({ length: READERS }, () => open(...form));
    // On a busy machine the time of some is over before their head is read: they end without an answer.
    const readAll = async (socket) => (await socket.toArray().catch(() => [])).join('');
    const answers = await Promise.all(sockets.map(readAll));
    assert.ok(answers.some((answer) => answer.startsWith('HTTP/1.1 408 ')));
    stand.server.timeout = 45_000;
    assert.equal((await post(stand.url, { photo: uniquePhoto() })).status, 201);
    await until(async () => (await stand.database.chunks.countDocuments()) > 0);
  });
});
