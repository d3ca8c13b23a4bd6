import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSettings } from '../src/settings.js';

test('an empty environment gives the documented defaults', () => {
  assert.deepEqual(readSettings({}), {
    port: 3001,
    mongoUrl: 'mongodb://127.0.0.1:27017',
    mongoDatabase: 'snowboarding',
    poseUrl: 'http://pose-service:5000',
    poseTimeoutMs: 30_000,
    poseConcurrency: 4,
    maxUploadBytes: 32 * 1024 * 1024,
    logLevel: 'info',
  });
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
]) {
  test(`${name}=${value} is refused by name`, () => {
    assert.throws(() => readSettings({ [name]: value }), new RegExp(`${name}=${value}`));
  });
}

test('a refused MONGO_URL is not repeated: it may hold a password', () => {
  assert.throws(
    () => readSettings({ MONGO_URL: 'admin:secret@mongodb' }),
    (error) => error.message.includes('MONGO_URL') && !error.message.includes('secret'),
  );
});
