import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { startServices } from '../src/services.js';
import { BUSY_SECONDS, post, sendJson, serve, startStand, startWorkingStand, WITH_MONGO } from './stand.js';

const NOWHERE = 'mongodb://admin:password@127.0.0.1:1/?authSource=admin';

async function readHealth(url) {
  const started = performance.now();
  const response = await fetch(`${url}/health`);
  const { status, mongo, pose, details } = await response.json();
  return {
    code: response.status,
    summary: [status, mongo, pose],
    details,
    seconds: (performance.now() - started) / 1000,
  };
}

describe('without a database', () => {
  let stand;
  before(async () => (stand = await startStand({ MONGO_URL: NOWHERE })));
  after(() => stand.close());

  test('health says so within its two seconds', async () => {
    const { code, summary, details, seconds } = await readHealth(stand.url);
    assert.deepEqual([code, ...summary], [503, 'degraded', 'down', 'ok']);
    assert.match(details.mongo.reason, /ECONNREFUSED/);
    assert.ok(!JSON.stringify(details).includes('password'));
    assert.ok(seconds < 2 + BUSY_SECONDS, `${seconds} s`);
  });

  for (const [name, ask] of [
    ['list', (url) => fetch(`${url}/api/analyses`)],
    ['upload', (url) => post(url)],
    ['delete', (url) => fetch(`${url}/api/analyses/ffffffffffffffffffffffff`, { method: 'DELETE' })],
  ]) {
    test(`${name} is 503 within seconds`, async () => {
      const started = performance.now();
      const response = await ask(stand.url);
      assert.equal(response.status, 503);
      assert.ok(response.headers.get('Retry-After'));
      assert.match((await response.json()).detail, /database/);
      assert.ok(performance.now() - started < 1000 * (5 + BUSY_SECONDS));
    });
  }
});

describe('health', WITH_MONGO, () => {
  let pose;
  let health;
  before(async () => {
    health = { status: 'ready', engine: 'mediapipe', device: 'cpu' };
    pose = await serve((_request, response) =>
      sendJson(response, health.status === 'ready' ? 200 : 503, health),
    );
  });
  after(() => pose.close());

  async function withStand(env, check) {
    const stand = await startWorkingStand({ POSE_URL: pose.url, ...env });
    try {
      await check(stand);
    } finally {
      await stand.drop();
    }
  }

  test('everything there is ok', async () => {
    await withStand({}, async ({ url }) => {
      const { code, summary, details } = await readHealth(url);
      assert.deepEqual([code, ...summary], [200, 'ok', 'ok', 'ok']);
      assert.equal(details.pose.engine, 'mediapipe');
      assert.equal((await fetch(`${url}/api/health`)).status, 200);
    });
  });

  test('a pose-service that starts is told apart from one that is gone', async () => {
    await withStand({}, async ({ url }) => {
      health = { status: 'starting', reason: 'loading the model' };
      const { code, summary, details } = await readHealth(url);
      assert.deepEqual([code, ...summary], [200, 'degraded', 'ok', 'starting']);
      assert.equal(details.pose.reason, 'loading the model');
    });
    await withStand({ POSE_URL: 'http://127.0.0.1:1' }, async ({ url }) => {
      const { code, summary, details } = await readHealth(url);
      assert.deepEqual([code, ...summary], [200, 'degraded', 'ok', 'down']);
      assert.ok(details.pose.reason);
    });
  });

  test('a pose-service that is silent costs two seconds, not more', async () => {
    const silent = await serve(() => {});
    await withStand({ POSE_URL: silent.url }, async ({ url }) => {
      const { code, summary, seconds } = await readHealth(url);
      assert.deepEqual([code, ...summary], [200, 'degraded', 'ok', 'down']);
      assert.ok(seconds > 1.8 && seconds < 2 + BUSY_SECONDS, `${seconds} s`);
    });
    await silent.close();
  });

  test('a wrong password is told as the database being down', async () => {
    const address = new URL(process.env.MONGO_URL);
    Object.assign(address, { username: 'nobody', password: 'wrong' });
    const stand = await startStand({ MONGO_URL: address.href, POSE_URL: pose.url });
    try {
      const { code, summary, details } = await readHealth(stand.url);
      assert.deepEqual([code, summary[1]], [503, 'down']);
      assert.match(details.mongo.reason, /[Aa]uthentication/);
    } finally {
      await stand.close();
    }
  });

  test('a database that is not there when the API starts is used once it is there', async () => {
    const { port, hostname } = new URL(process.env.MONGO_URL);
    const forwarder = createServer((socket) => {
      const upstream = connect(Number(port || 27017), hostname);
      socket.pipe(upstream).pipe(socket);
      for (const end of [socket, upstream]) end.on('error', () => {});
    });
    const reserved = await serve(() => {});
    const late = new URL(reserved.url);
    await reserved.close();
    const address = new URL(process.env.MONGO_URL);
    address.host = late.host;
    const stand = await startStand({ MONGO_URL: address.href, POSE_URL: pose.url });
    try {
      const started = startServices(stand, AbortSignal.timeout(60_000));
      assert.equal((await post(stand.url)).status, 503);
      forwarder.listen(Number(late.port), '127.0.0.1');
      await started;
      assert.equal((await post(stand.url)).status, 201);
    } finally {
      await stand.drop();
      forwarder.close();
    }
  });
});
