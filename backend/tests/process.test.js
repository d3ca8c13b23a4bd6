import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'node:test';
import { ObjectId } from 'mongodb';
import { Storage } from '../src/storage.js';
import { createClient } from '../src/database.js';
import { countStored, post, servePose, until, WITH_MONGO } from './stand.js';

const ENTRY = fileURLToPath(new URL('../src/server.js', import.meta.url));

/** The API as a process of its own on a free port. */
async function start(env) {
  const child = spawn(process.execPath, [ENTRY], { env: { ...process.env, PORT: '0', ...env } });
  let log = '';
  child.stdout.on('data', (data) => (log += data));
  child.stderr.on('data', (data) => (log += data));
  const findPort = () => /"port":(\d+)/.exec(log)?.[1];
  await until(() => findPort() || child.exitCode !== null, { what: 'the process', timeoutMs: 15_000 });
  return { child, url: `http://127.0.0.1:${findPort()}`, readLog: () => log };
}

async function stop(child, signal = 'SIGTERM') {
  const started = performance.now();
  const gone = once(child, 'exit');
  child.kill(signal);
  const [code] = await gone;
  return { code, seconds: (performance.now() - started) / 1000 };
}

test('settings that make no sense end the start with their name', async () => {
  const { child, readLog } = await start({ PORT: 'x' });
  await until(() => child.exitCode !== null);
  assert.equal(child.exitCode, 1);
  assert.match(readLog(), /PORT=x/);
});

test('a process without a database lives, answers and stops', async () => {
  const { child, url } = await start({ MONGO_URL: 'mongodb://127.0.0.1:1', POSE_URL: 'http://127.0.0.1:1' });
  assert.equal((await fetch(`${url}/health`)).status, 503);
  const { code, seconds } = await stop(child, 'SIGINT');
  assert.equal(code, 0);
  assert.ok(seconds < 2, `${seconds} s`);
});

describe('a process with a database', WITH_MONGO, () => {
  async function withProcess(check) {
    const pose = await servePose();
    const MONGO_DATABASE = `test-${randomUUID()}`;
    const storage = new Storage(createClient({ mongoUrl: process.env.MONGO_URL }), MONGO_DATABASE);
    const env = { POSE_URL: pose.url, MONGO_DATABASE };
    const running = [await start(env)];
    const restart = async () => running[running.push(await start(env)) - 1];
    try {
      await check({ ...running[0], pose, storage, restart });
    } finally {
      running.forEach(({ child }) => child.kill('SIGKILL'));
      await pose.close();
      await storage.database.dropDatabase().finally(() => storage.close());
    }
  }

  test('SIGTERM stops it in two seconds, with an estimate running and a listener there', async () => {
    await withProcess(async ({ child, url, pose, storage }) => {
      pose.answer = () => {};
      const waiting = post(url);
      const { id } = await (await post(url, { headers: { Prefer: 'respond-async' } })).json();
      const events = (await fetch(`${url}/api/analyses/${id}/events`)).text();
      await until(() => pose.received.length === 2, { what: 'both estimates' });

      const { code, seconds } = await stop(child);
      assert.equal(code, 0);
      assert.ok(seconds < 2, `${seconds} s`);
      assert.equal((await waiting).status, 503);
      assert.match(await events, /"status":"failed"/);
      const left = await storage.files.find().toArray();
      assert.deepEqual(
        left.map((file) => [file._id.toHexString(), file.metadata.status]),
        [[id, 'failed']],
      );
    });
  });

  test('what a killed process left half-done is failed after the next start', async () => {
    await withProcess(async ({ child, url, pose, storage, restart }) => {
      pose.answer = () => {};
      const { id } = await (await post(url, { headers: { Prefer: 'respond-async' } })).json();
      await until(() => pose.received.length === 1, { what: 'the estimate' });
      await stop(child, 'SIGKILL');

      const next = await restart();
      await until(() => next.readLog().includes('database ready'), { what: 'the new process' });
      const { status, error } = await (await fetch(`${next.url}/api/analyses/${id}`)).json();
      assert.deepEqual([status, error.status], ['failed', 503]);
      assert.equal((await countStored(storage)).files, 1);
    });
  });

  test('chunks of an upload that died with its process are swept an hour later', async () => {
    await withProcess(async ({ url, storage, restart }) => {
      const { id } = await (await post(url)).json();
      const kept = (await storage.chunks.findOne()).files_id;
      const old = ObjectId.createFromTime(Math.floor(Date.now() / 1000) - 3601);
      await storage.chunks.insertMany(
        [old, new ObjectId()].map((files_id) => ({ files_id, n: 0, data: 'x' })),
      );
      const next = await restart();
      await until(() => next.readLog().includes('"orphans":1'), { what: 'the sweep' });
      const left = (await storage.chunks.distinct('files_id')).map(String);
      assert.equal(kept.toHexString(), id);
      assert.ok(left.includes(id) && !left.includes(old.toHexString()) && left.length === 2);
    });
  });
});
