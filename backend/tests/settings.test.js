import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { readSettings } from '../src/ground/settings.js';

test('an empty environment gives the documented defaults', () => {
  assert.deepEqual(readSettings({}), {
    port: 3001,
    mongoUrl: 'mongodb://127.0.0.1:27017',
    mongoDatabase: 'snowboarding',
    poseUrl: 'http://pose-service:5000',
    poseTimeoutMs: 30_000,
    poseStallMs: 60_000,
    poseConcurrency: 2,
    maxPhotoBytes: 32 * 1024 * 1024,
    maxClipBytes: 200 * 1024 * 1024,
    uploadTimeoutMs: 900_000,
    leaseMs: 15_000,
    maxAttempts: 3,
    maxPoseAwayMs: 3_600_000,
    undoMs: 600_000,
    allowedHosts: [],
    corsOrigins: [],
    requestsPerMinute: 6000,
    uploadsPerMinute: 120,
    streamsPerClient: 100,
    trustedProxies: 0,
    deafMs: 12_000,
    logLevel: 'info',
  });
});

test('README.md lists every variable with its default', async () => {
  const source = await readFile(new URL('../src/ground/settings.js', import.meta.url), 'utf8');
  const names = [...source.matchAll(/'([A-Z][A-Z_]+)'/g)].map(([, name]) => name);
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  assert.ok(names.length > 15);
  assert.deepEqual(
    names.filter((name) => !readme.includes(`| \`${name}\` |`)),
    [],
  );
});

test('an empty value counts as unset, a slash at the end of a URL does not matter', () => {
  const { port, poseUrl } = readSettings({ PORT: '', POSE_URL: 'http://127.0.0.1:5000/' });
  assert.equal(port, 3001);
  assert.equal(poseUrl, 'http://127.0.0.1:5000');
});

for (const [name, value] of [
  ['PORT', '70000'],
  ['PORT', 'http'],
  ['POSE_TIMEOUT_MS', '0'],
  ['MAX_UPLOAD_MB', '1.5'],
  ['PORT', '３００１'],
  ['PORT', '٣٠٠١'],
  ['PORT', '0x50'],
  ['PORT', '3e3'],
  ['PORT', ' 3001'],
  ['PORT', '+3001'],
  ['LEASE_SECONDS', '1e300'],
  ['LEASE_SECONDS', '99999999999999999999'],
  ['UPLOAD_SECONDS', '-1'],
  ['DEAF_SECONDS', '601'],
  ['STREAMS_PER_CLIENT', 'Infinity'],
  ['LOG_LEVEL', 'loud'],
  ['MONGO_DATABASE', 'a/b'],
  ['MONGO_DATABASE', 'x'.repeat(64)],
  ['CORS_ORIGINS', '*'],
  ['ALLOWED_HOSTS', '*'],
  ['ALLOWED_HOSTS', 'api.example:3001'],
  ['ALLOWED_HOSTS', 'http://api.example'],
]) {
  test(`${name}=${value} is refused by name`, () => {
    assert.throws(
      () => readSettings({ [name]: value }),
      (error) => error.message.includes(name) && error.message.includes(value),
    );
  });
}

test('a refused MONGO_URL is not repeated: it may hold a password', () => {
  assert.throws(
    () => readSettings({ MONGO_URL: 'admin:secret@mongodb' }),
    (error) => error.message.includes('MONGO_URL') && !error.message.includes('secret'),
  );
});

for (const [name, value] of [
  ['POSE_URL', 'http://'],
  ['POSE_URL', 'http://pose service'],
  ['POSE_URL', 'ftp://pose-service'],
  ['MONGO_URL', 'mongodb://'],
]) {
  test(`${name}=${value} is refused by name`, () => {
    assert.throws(() => readSettings({ [name]: value }), new RegExp(name));
  });
}

test('several servers of a database are one address', () => {
  assert.equal(readSettings({ MONGO_URL: 'mongodb://a:1,b:2/?replicaSet=x' }).mongoUrl.length, 31);
});
