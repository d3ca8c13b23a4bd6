import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { ObjectId } from 'mongodb';
import { Database } from '../src/store/database.js';
import {
  BUSY_SECONDS,
  makeClip,
  post,
  sendClip,
  sendJson,
  serve,
  servePose,
  startProcess,
  stopProcess,
  uniquePhoto,
  until,
  WITH_MONGO,
} from './stand.js';

for (const [name, value] of [
  ['PORT', 'x'],
  ['LOG_LEVEL', 'loud'],
  ['MONGO_URL', 'mongodb://admin:secret@mongodb:27017/?tls=maybe'],
]) {
  test(`${name}=${value} ends the start, and the reason is the last line`, async () => {
    const { child, readLog } = await startProcess({ [name]: value });
    await until(() => child.exitCode !== null);
    assert.equal(child.exitCode, 1);
    const last = JSON.parse(readLog().trim().split('\n').at(-1));
    assert.equal(last.level, 'fatal');
    assert.match(last.cause, new RegExp(name));
    assert.ok(!readLog().includes('secret'));
  });
}

test('a port that is in use ends the start, and the reason is the last line', async () => {
  const other = await serve(() => {});
  const { port } = new URL(other.url);
  const { child, readLog } = await startProcess({ PORT: port, MONGO_URL: 'mongodb://127.0.0.1:1' });
  await until(() => child.exitCode !== null);
  await other.close();
  assert.equal(child.exitCode, 1);
  assert.match(readLog().trim().split('\n').at(-1), /EADDRINUSE/);
});

test('a process without a database lives, answers and stops', async () => {
  const { child, url } = await startProcess({
    MONGO_URL: 'mongodb://127.0.0.1:1',
    POSE_URL: 'http://127.0.0.1:1',
  });
  assert.equal((await fetch(`${url}/health`)).status, 503);
  assert.equal((await fetch(`${url}/live`)).status, 200);
  const { code, seconds } = await stopProcess(child, 'SIGINT');
  assert.equal(code, 0);
  assert.ok(seconds < 2 + BUSY_SECONDS, `${seconds} s`);
});

describe('processes with a database', WITH_MONGO, () => {
  async function withProcess(check) {
    const pose = await servePose();
    const MONGO_DATABASE = `test-${randomUUID()}`;
    const database = new Database({ mongoUrl: process.env.MONGO_URL, mongoDatabase: MONGO_DATABASE });
    // Longer than a busy machine pauses: who lives keeps its work.
    const env = { POSE_URL: pose.url, MONGO_DATABASE, LEASE_SECONDS: '60' };
    // What the time does to the work of a process that is gone, without waiting for it.
    const endLeases = () =>
      database.files.updateMany(
        { 'metadata.job': { $exists: true } },
        { $set: { 'metadata.job.dueAt': new Date(0) } },
      );
    const running = [];
    const another = async () => {
      const api = await startProcess(env);
      running.push(api);
      await until(() => api.readLog().includes('database ready'), { what: 'the database' });
      return api;
    };
    try {
      await check({ ...(await another()), pose, database, another, endLeases });
    } finally {
      running.forEach(({ child }) => child.kill('SIGKILL'));
      await pose.close();
      await database.db.dropDatabase().finally(() => database.close());
    }
  }

  const read = async (url, id) => (await fetch(`${url}/api/analyses/${id}`)).json();
  const untilDone = (url, id) =>
    until(async () => (await read(url, id)).status === 'done', { what: 'the analysis' });
  const accept = async (url, options) => (await (await post(url, options)).json()).id;

  test('SIGTERM stops it in two seconds, and what runs goes back into the queue', async () => {
    await withProcess(async ({ child, url, pose, database, another }) => {
      pose.answer = () => {};
      const id = await accept(url);
      const events = (await fetch(`${url}/api/analyses/${id}/events`)).text().catch(() => 'cut');
      await until(() => pose.received.length === 1, { what: 'the estimate' });

      const { code, seconds } = await stopProcess(child);
      assert.equal(code, 0);
      assert.ok(seconds < 2 + BUSY_SECONDS, `${seconds} s`);
      await events;
      const { metadata } = await database.files.findOne();
      assert.deepEqual([metadata.status, metadata.job.attempts, metadata.job.token], ['received', 0, null]);

      pose.reset();
      const next = await another();
      await untilDone(next.url, id);
      assert.equal((await read(next.url, id)).attempts, 1);
    });
  });

  test('what a killed process left half-done is done by another one, which began before it', async () => {
    await withProcess(async ({ child, url, pose, another, endLeases }) => {
      pose.answer = () => {};
      pose.answerClip = (_request, response) => sendClip(response, { frames: 4000, pauseMs: 20 });
      const photo = await accept(url);
      const clip = await accept(url, { photo: makeClip(1000) });
      await until(async () => (await read(url, clip)).progress?.framesDone > 0, { what: 'some frames' });
      const other = await another();
      pose.reset();
      await stopProcess(child, 'SIGKILL');
      await endLeases();

      await untilDone(other.url, photo);
      await untilDone(other.url, clip);
      assert.equal((await read(other.url, clip)).attempts, 2);
      const { items, total } = await (await fetch(`${other.url}/api/analyses/${clip}/frames`)).json();
      assert.deepEqual([items.map(({ index }) => index), total], [[0, 1, 2], 3]);
    });
  });

  test('three processes share the work, and nothing is done twice', async () => {
    await withProcess(async ({ url, pose, another }) => {
      const others = [await another(), await another()];
      const urls = [url, ...others.map((api) => api.url)];
      pose.answer = (_request, response) => setTimeout(() => sendJson(response, 200, { people: [] }), 30);
      const posts = Array.from({ length: 30 }, (_, i) => accept(urls[i % 3], { photo: uniquePhoto() }));
      const ids = await Promise.all(posts);
      for (const id of ids) await untilDone(url, id);
      assert.equal(pose.received.length, 30);
    });
  });

  test('what kills every process that works on it fails in the end', async () => {
    await withProcess(async ({ child, url, pose, another, endLeases }) => {
      pose.answer = () => {};
      const id = await accept(url);
      let current = { child };
      for (let kills = 1; kills <= 3; kills += 1) {
        await until(() => pose.received.length === kills, { what: `attempt ${kills}` });
        await stopProcess(current.child, 'SIGKILL');
        await endLeases();
        current = await another();
      }
      await until(async () => (await read(current.url, id)).status === 'failed');
      assert.match((await read(current.url, id)).error.detail, /3 times/);
    });
  });

  test('chunks of an upload that died with its process are swept an hour later', async () => {
    await withProcess(async ({ url, database, another }) => {
      const id = await accept(url);
      const old = ObjectId.createFromTime(Math.floor(Date.now() / 1000) - 3601);
      await database.chunks.insertMany(
        [old, new ObjectId()].map((files_id) => ({ files_id, n: 0, data: 'x' })),
      );
      const next = await another();
      await until(() => next.readLog().includes('"orphans":1'), { what: 'the sweep' });
      const left = (await database.chunks.distinct('files_id')).map(String);
      assert.ok(left.includes(id) && !left.includes(old.toHexString()) && left.length === 2);
    });
  });
});
