import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as open } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { analyse, startStand, startWorkingStand, uniquePhoto, WITH_MONGO } from './stand.js';

const FRIEND = 'https://friend.example';
const NOWHERE = 'mongodb://127.0.0.1:1';

describe('door', () => {
  let stand;
  before(async () => {
    stand = await startStand({ MONGO_URL: NOWHERE, CORS_ORIGINS: FRIEND, ALLOWED_HOSTS: 'api.example' });
  });
  after(() => stand.close());

  const get = (headers, path = '/', method = 'GET') => fetch(`${stand.url}${path}`, { method, headers });

  test('answers carry the headers that protect a browser', async () => {
    const { headers } = await get();
    assert.match(headers.get('Content-Security-Policy'), /default-src 'none'/);
    assert.equal(headers.get('X-Content-Type-Options'), 'nosniff');
    assert.equal(headers.get('X-Powered-By'), null);
  });

  test('only origins that are named may read answers', async () => {
    assert.equal((await get({ Origin: FRIEND })).headers.get('Access-Control-Allow-Origin'), FRIEND);
    const { headers } = await get({ Origin: 'https://friend.example.evil.example' });
    assert.equal(headers.get('Access-Control-Allow-Origin'), null);
    const asked = { Origin: FRIEND, 'Access-Control-Request-Method': 'DELETE' };
    const preflight = await get(asked, '/api/analyses/x', 'OPTIONS');
    assert.deepEqual([preflight.status, preflight.headers.get('Access-Control-Allow-Origin')], [204, FRIEND]);
  });

  test('OPTIONS tells what a path allows', async () => {
    const { status, headers } = await get({}, '/api/analyses', 'OPTIONS');
    assert.deepEqual([status, headers.get('Allow')], [204, 'GET, POST, HEAD, OPTIONS']);
  });

  for (const path of [
    '/api/analyses/',
    '/API/analyses',
    '/live/',
    `/api/analyses/${'0'.repeat(24)}/events/`,
  ]) {
    test(`${path} is no path: it would pass by what goes by paths`, async () => {
      assert.equal((await get({}, path)).status, 404);
    });
  }

  for (const [site, origin, status] of [
    ['cross-site', 'https://evil.example', 403],
    ['same-site', 'https://evil.example', 403],
    ['cross-site', undefined, 403],
    ['cross-site', FRIEND, 404],
    ['same-origin', 'http://127.0.0.1:5173', 404],
    ['none', undefined, 404],
    [undefined, undefined, 404],
    [undefined, 'https://evil.example', 403],
    [undefined, 'http://127.0.0.1:1', 403],
    [undefined, 'null', 403],
    [undefined, FRIEND, 404],
  ]) {
    test(`a change that comes ${site} from ${origin} is ${status}`, async () => {
      const headers = { ...(site && { 'Sec-Fetch-Site': site }), ...(origin && { Origin: origin }) };
      assert.equal((await get(headers, '/api/analyses/x', 'DELETE')).status, status);
    });
  }

  test('a page of the same host may change, in a browser that says only its origin', async () => {
    assert.equal((await get({ Origin: stand.url }, '/api/analyses/x', 'DELETE')).status, 404);
  });

  test('over http nothing is said about TLS', async () => {
    assert.equal((await get()).headers.get('Strict-Transport-Security'), null);
  });

  /** Ask under another name; fetch does not let one choose it. */
  async function askAs(host, path = '/', method = 'GET') {
    const request = open(`${stand.url}${path}`, { method, setHost: false, headers: { Host: host } }).end();
    const [response] = await once(request, 'response');
    const body = (await response.toArray()).join('');
    return { status: response.statusCode, type: response.headers['content-type'], body };
  }

  for (const host of [
    'localhost',
    'localhost:3001',
    'LOCALHOST',
    'localhost.',
    '127.0.0.1:3001',
    '[::1]',
    '[::1]:3001',
    'backend-api:3001',
    'host.docker.internal:3001',
    'api.example',
    'API.example:8443',
  ]) {
    test(`the host ${host} is known`, async () => {
      assert.equal((await askAs(host)).status, 200);
    });
  }

  for (const host of [
    'evil.example',
    'evil.example:3001',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil.example#localhost',
    'localhost@evil.example',
    'evil.example/localhost',
    'x.api.example',
    '10.0.0.7:3001',
    '[::2]:3001',
    'localhost:port',
    'localhost:3001:3001',
    '',
  ]) {
    test(`the host "${host}" is 421, whatever it asks`, async () => {
      for (const [path, method] of [
        ['/', 'GET'],
        ['/health', 'GET'],
        ['/api/analyses', 'POST'],
        ['/api/analyses/ffffffffffffffffffffffff', 'DELETE'],
        ['/api/analyses', 'OPTIONS'],
      ]) {
        const { status, type, body } = await askAs(host, path, method);
        assert.deepEqual(
          [status, type],
          [421, 'application/problem+json; charset=utf-8'],
          `${method} ${path}`,
        );
        assert.equal(JSON.parse(body).status, 421);
      }
    });
  }

  /** The answer to bytes that no client library sends; they follow a request line and what is always asked for. */
  async function askRaw(...lines) {
    const socket = connect(Number(new URL(stand.url).port), '127.0.0.1');
    socket.write([...lines, 'Connection: close', '', ''].join('\r\n'));
    const answer = (await socket.toArray()).join('');
    const [head, body] = answer.split('\r\n\r\n', 2);
    return { status: Number(head.split(' ')[1]), head, body };
  }

  for (const [name, lines, status] of [
    ['a second host', ['GET /health HTTP/1.1', 'Host: localhost', 'Host: evil.example'], 421],
    ['a first host', ['GET /health HTTP/1.1', 'Host: evil.example', 'Host: localhost'], 421],
    ['no host', ['GET /health HTTP/1.0'], 421],
    ['a whole address', ['GET http://evil.example/health HTTP/1.1', 'Host: localhost'], 421],
    ['an address with a user', ['GET http://localhost@evil.example/ HTTP/1.1', 'Host: localhost'], 421],
    ['its own whole address', ['GET http://localhost/ HTTP/1.1', 'Host: localhost'], 200],
    ['an unknown expectation', ['GET / HTTP/1.1', 'Host: localhost', 'Expect: tea'], 200],
    ['another protocol', ['hello'], 400],
    ['a method in lower case', ['get / HTTP/1.1', 'Host: localhost'], 400],
    ['a header with a NUL', ['GET / HTTP/1.1', 'Host: localhost', 'X-A: \0'], 400],
    ['two lengths', ['POST / HTTP/1.1', 'Host: localhost', 'Content-Length: 5', 'Content-Length: 6'], 400],
    ['a length of letters', ['POST / HTTP/1.1', 'Host: localhost', 'Content-Length: five'], 400],
    ['headers without end', ['GET / HTTP/1.1', 'Host: localhost', `X-A: ${'a'.repeat(20_000)}`], 431],
  ]) {
    test(`${name} is ${status}, in a document where it is refused`, async () => {
      const answer = await askRaw(...lines);
      assert.equal(answer.status, status, answer.head);
      if (status < 400) return;
      assert.match(answer.head, /^content-type: application\/problem\+json/im);
      assert.equal(JSON.parse(answer.body).status, status);
    });
  }

  for (const origin of [
    'ftp://127.0.0.1',
    'http://127.0.0.1/x',
    'http://evil@127.0.0.1',
    'http://127.0.0.1#x',
    'x',
  ]) {
    test(`${origin} is no origin of this host`, async () => {
      const place = origin.replace('127.0.0.1', new URL(stand.url).host);
      assert.equal((await get({ Origin: place }, '/api/analyses/x', 'DELETE')).status, 403);
    });
  }

  for (const [offered, isTaken] of [
    ['abc-123:4', true],
    ['a b', false],
    ['x'.repeat(129), false],
    ['"$(id)"', false],
  ]) {
    test(`the request id ${offered.slice(0, 20)} is ${isTaken ? 'taken' : 'replaced'}`, async () => {
      const response = await get({ 'X-Request-Id': offered }, '/nowhere');
      const id = response.headers.get('X-Request-Id');
      assert.equal(id === offered, isTaken);
      assert.equal((await response.json()).requestId, id);
    });
  }
});

describe('rates', WITH_MONGO, () => {
  async function withLimit(env, check) {
    const stand = await startWorkingStand(env);
    try {
      await check(stand);
    } finally {
      await stand.drop();
    }
  }

  test('too many requests are 429 and told how long to wait; health is never refused', async () => {
    await withLimit({ REQUESTS_PER_MINUTE: '3' }, async ({ url }) => {
      const answers = [];
      for (let i = 0; i < 4; i += 1) answers.push(await fetch(`${url}/api/analyses`));
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 200, 200, 429],
      );
      const seconds = Number(answers[3].headers.get('Retry-After'));
      assert.ok(seconds > 0 && seconds <= 60);
      assert.equal((await answers[3].json()).status, 429);
      assert.equal((await fetch(`${url}/health`)).status, 200);
    });
  });

  test('uploads have a limit of their own', async () => {
    await withLimit({ UPLOADS_PER_MINUTE: '1' }, async ({ url }) => {
      await analyse(url, { photo: uniquePhoto() });
      await assert.rejects(analyse(url, { photo: uniquePhoto() }), /429/);
      assert.equal((await fetch(`${url}/api/analyses`)).status, 200);
    });
  });
});

describe('request ids', WITH_MONGO, () => {
  test('the pose-service gets the id of the upload', async () => {
    const stand = await startWorkingStand();
    try {
      await analyse(stand.url, { headers: { 'X-Request-Id': 'ride-7' } });
      assert.equal(stand.pose.requests.at(-1).headers['x-request-id'], 'ride-7');
    } finally {
      await stand.drop();
    }
  });
});
