import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Line } from '../src/http/turns.js';
import { serve, until } from './stand.js';

const WAIT_MS = 400;
const BEGINNING = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n';

describe('a line of two places', () => {
  let stand;
  let answer;
  let line;
  before(async () => {
    stand = await serve((request, response) => {
      line.enter(response, (problem) => answer(request, response, problem));
    });
  });
  after(() => stand.close());
  beforeEach(() => {
    line = new Line({ places: 2, waitMs: WAIT_MS });
    answer = takeAll;
  });

  function takeAll(request, response, problem) {
    if (problem) return response.writeHead(problem.status).end();
    request.on('error', () => {});
    request.on('end', () => response.end('done')).resume();
  }

  /** A client in a place, which sends `piece` every 50 ms. */
  async function hold(piece) {
    const socket = connect(Number(new URL(stand.url).port), '127.0.0.1');
    socket.on('error', () => {});
    socket.write(BEGINNING);
    const timer = setInterval(() => socket.write(piece), 50);
    socket.once('close', () => clearInterval(timer));
    return socket;
  }

  async function holdBoth(piece) {
    const sockets = await Promise.all([hold(piece), hold(piece)]);
    await until(() => line.holding.size === 2, { what: 'two in their places' });
    return sockets;
  }

  test('is left by a client that sends a byte now and then, once another one waits', async () => {
    const sockets = await holdBoth('x');
    const ended = Promise.race(sockets.map((socket) => once(socket, 'close')));
    assert.equal((await fetch(stand.url)).status, 200);
    await ended;
    // Nobody else waited: the other one goes on.
    assert.equal(sockets.filter((socket) => socket.destroyed).length, 1);
    for (const socket of sockets) socket.destroy();
  });

  test('is kept by clients that send at an ordinary pace', async () => {
    const sockets = await holdBoth('x'.repeat(1000));
    assert.equal((await fetch(stand.url)).status, 503);
    assert.ok(sockets.every((socket) => !socket.destroyed));
    for (const socket of sockets) socket.destroy();
  });

  test('is kept by those who wait for our work, and not we for them', async () => {
    const responses = [];
    answer = (request, response, problem) => {
      if (problem) return takeAll(request, response, problem);
      responses.push(response);
    };
    const waiting = [fetch(stand.url), fetch(stand.url)];
    await until(() => responses.length === 2, { what: 'two in their places' });
    assert.equal((await fetch(stand.url)).status, 503);
    for (const response of responses) response.end();
    for (const one of await Promise.all(waiting)) assert.equal(one.status, 200);
  });

  test('is left by a client that does not read', async () => {
    const piece = Buffer.alloc(1024 * 1024);
    answer = async (request, response, problem) => {
      if (problem || request.url !== '/long') return takeAll(request, response, problem);
      while (!response.destroyed) {
        if (!response.write(piece)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
      }
    };
    const sockets = [1, 2].map(() => {
      const socket = connect(Number(new URL(stand.url).port), '127.0.0.1').pause();
      socket.on('error', () => {});
      socket.write('GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n');
      return socket;
    });
    await until(() => line.holding.size === 2, { what: 'two in their places' });
    await sleep(300);
    assert.equal((await fetch(stand.url)).status, 200);
    for (const socket of sockets) socket.destroy();
  });
});
