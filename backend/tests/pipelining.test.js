import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import {
  BUSY_SECONDS,
  ESTIMATE,
  post,
  sendJson,
  startWorkingStand,
  uniquePhoto,
  until,
  WITH_MONGO,
} from './stand.js';

const HEAD = 'HEAD /api/analyses HTTP/1.1\r\nHost: localhost\r\n\r\n';

describe('requests that are sent ahead', WITH_MONGO, () => {
  let stand;
  let waiting;
  before(async () => {
    stand = await startWorkingStand();
    // Its work never ends, and so do its events.
    stand.pose.answer = (_request, response) => (waiting = () => sendJson(response, 200, ESTIMATE));
  });
  after(() => {
    waiting?.();
    return stand.drop();
  });

  async function openStream() {
    const { id } = await (await post(stand.url, { photo: uniquePhoto() })).json();
    const socket = connect(Number(new URL(stand.url).port), '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`GET /api/analyses/${id}/events HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await once(socket, 'data');
    return socket;
  }

  test('behind an answer that does not end they take nobody a place, and leave none taken', async () => {
    const socket = await openStream();
    socket.write(HEAD.repeat(64));
    await until(async () => (await fetch(`${stand.url}/api/analyses`)).status === 200, { what: 'an answer' });
    const started = performance.now();
    assert.equal((await fetch(`${stand.url}/api/analyses`)).status, 200);
    socket.destroy();
    await once(socket, 'close');
    assert.equal((await fetch(`${stand.url}/api/analyses`)).status, 200);
    // A place that is taken is waited for 5 s.
    assert.ok(performance.now() - started < 4000);
  });

  test('are answered in their order', async () => {
    const socket = connect(Number(new URL(stand.url).port), '127.0.0.1');
    const paths = ['/api/analyses', '/nowhere', '/live', '/api/openapi.json'];
    const ends = paths.map((path, i) => (i < paths.length - 1 ? '' : 'Connection: close\r\n'));
    socket.write(
      paths.map((path, i) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${ends[i]}\r\n`).join(''),
    );
    const answers = (await socket.toArray()).join('');
    assert.deepEqual(
      [...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
      ['200', '404', '200', '200'],
    );
  });

  test('without end they cost the connection', async () => {
    const socket = await openStream();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const started = performance.now();
    socket.write(HEAD.repeat(5000));
    await closed;
    // The work behind the stream fails some time, and ends it too.
    assert.ok(performance.now() - started < BUSY_SECONDS * 1000);
    assert.equal((await fetch(`${stand.url}/live`)).status, 200);
  });
});
