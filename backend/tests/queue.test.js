import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Readable } from 'node:stream';
import { createMetadata } from '../src/store/analysis.js';
import { prepareIndexes } from '../src/store/indexes.js';
import { migrate } from '../src/store/migration.js';
import { Problem } from '../src/ground/problem.js';
import {
  analyse,
  sendJson,
  startStand,
  startWorkingStand,
  uniquePhoto,
  post,
  until,
  WITH_MONGO,
} from './stand.js';

const KINDS = ['photo', 'clip'];

describe('queue', WITH_MONGO, () => {
  let stand;
  let queue;
  before(async () => {
    // Its worker is not started: the tests take the jobs.
    stand = await startStand();
    queue = stand.queue;
    await stand.database.connect();
    await prepareIndexes(stand.database);
  });
  after(() => stand.drop());
  beforeEach(() => stand.database.files.deleteMany({}));

  async function accept(kind = 'photo') {
    const metadata = createMetadata({
      contentType: 'image/png',
      kind,
      name: 'a',
      stance: 'auto',
      requestId: 'r',
    });
    const source = Readable.from([uniquePhoto()]);
    return stand.media.accept(await stand.media.receive(source, { filename: 'a', metadata }));
  }

  const read = async (id) => (await stand.analyses.find(id, { withResults: true })).metadata;
  /** What so much time does to a job, without waiting for it. */
  const letPass = (_id, ms) =>
    stand.database.files.updateOne({ _id }, [
      { $set: { 'metadata.job.dueAt': { $subtract: ['$metadata.job.dueAt', ms] } } },
    ]);

  test('what is accepted is claimed once, the oldest first', async () => {
    const ids = [await accept(), await accept(), await accept()];
    const claimed = await Promise.all(Array.from({ length: 8 }, () => queue.claim(KINDS)));
    const jobs = claimed.filter(Boolean);
    assert.deepEqual(jobs.map(({ id }) => String(id)).sort(), ids.map(String));
    assert.deepEqual(await queue.count(), { waiting: 0, running: 3 });
  });

  test('only the kinds that are asked for are claimed', async () => {
    await accept('clip');
    assert.equal(await queue.claim(['photo']), null);
    assert.ok(await queue.claim(['clip']));
  });

  test('a lease that is extended is kept, one that is not goes to the next, who alone can write', async () => {
    const id = await accept();
    const first = await queue.claim(KINDS);
    await letPass(id, 0.7 * queue.leaseMs);
    assert.equal(await queue.extend(first), true);
    await letPass(id, 0.7 * queue.leaseMs);
    assert.equal(await queue.claim(KINDS), null);
    await letPass(id, 0.5 * queue.leaseMs);

    const second = await queue.claim(KINDS);
    assert.equal(second.attempts, 2);
    assert.equal(await queue.extend(first), false);
    assert.equal(await queue.finish(first, { pose: 'late', people: 9 }), false);
    assert.equal(await queue.finish(second, { pose: '$right', people: 1 }), true);
    const { status, pose, people, job } = await read(id);
    assert.deepEqual([status, pose, people, job], ['done', '$right', 1, undefined]);
  });

  test('a job that was put back waits, and only a real attempt counts', async () => {
    const id = await accept();
    const job = await queue.claim(KINDS);
    await queue.release(job, { reason: 'the pose-service is away', delayMs: 60_000, isAttempt: false });
    const { status, progress } = await read(id);
    assert.deepEqual([status, progress.waitingFor], ['received', 'the pose-service is away']);
    assert.equal(await queue.claim(KINDS), null);
    await letPass(id, 60_000);
    assert.equal((await queue.claim(KINDS)).attempts, 1);
  });

  test('a job that another clock dated is not put off, and one that is held is not taken away', async () => {
    const id = await accept();
    await letPass(id, -3_600_000);
    const job = await queue.claim(KINDS);
    assert.equal(String(job.id), String(id));
    await letPass(id, -300_000);
    assert.equal(await queue.claim(KINDS), null);
  });

  test('a deleted analysis cannot be written, and is queued again when it comes back', async () => {
    const id = await accept();
    const job = await queue.claim(KINDS);
    await stand.analyses.remove(id);
    assert.equal(await queue.finish(job, { pose: 1, people: 1 }), false);
    assert.equal(await queue.claim(KINDS), null);
    await stand.analyses.restore(id);
    assert.ok(await queue.claim(KINDS));
  });

  test('what waits for a service that never comes fails with the reason', async () => {
    const [waiting, running] = [await accept(), await accept()];
    await stand.database.files.updateOne(
      { _id: waiting },
      { $set: { 'metadata.job.dueAt': new Date(Date.now() + 50_000) } },
    );
    const job = await queue.claim(KINDS);
    await stand.database.files.updateOne({ _id: waiting }, { $set: { 'metadata.job.dueAt': new Date(0) } });
    assert.equal(String(job.id), String(running));
    assert.equal(await queue.failWaiting(new Problem(503, 'Away for $long.')), 1);
    const { status, error } = await read(waiting);
    assert.deepEqual(
      [status, error.detail, (await read(running)).status],
      ['failed', 'Away for $long.', 'estimating'],
    );
  });

  test('the history does not grow without end', async () => {
    const id = await accept();
    for (let i = 0; i < 60; i += 1) {
      await queue.release(await queue.claim(KINDS), { reason: 'x', delayMs: 0, isAttempt: false });
    }
    const { history, revision } = await read(id);
    assert.deepEqual([history.length, history.at(-1).revision, revision], [100, 121, 121]);
  });

  test('analyses of the version before are taken over, unfinished ones into the queue', async () => {
    const at = new Date();
    const old = (status) => ({
      filename: 'old.png',
      length: 1,
      chunkSize: 1,
      uploadDate: at,
      metadata: { contentType: 'image/png', status, history: [{ status: 'received', at }] },
    });
    await stand.database.files.insertMany([old('done'), old('estimating')]);
    assert.deepEqual([await migrate(stand.database), await migrate(stand.database)], [2, 0]);
    const { items, total } = await (await fetch(`${stand.url}/api/analyses`)).json();
    assert.deepEqual([total, items[0].name, items[0].kind, items[0].revision], [2, 'old.png', 'photo', 1]);
    assert.deepEqual(await queue.count(), { waiting: 1, running: 0 });
  });

  test('an index that is not as declared is told', async () => {
    await stand.database.files.dropIndex('deleted');
    await stand.database.files.createIndex({ 'metadata.deletedAt': -1 }, { name: 'deleted' });
    await assert.rejects(prepareIndexes(stand.database));
    await stand.database.files.dropIndex('deleted');
    assert.ok((await prepareIndexes(stand.database)) > 5);
  });
});

describe('work', WITH_MONGO, () => {
  let stand;
  before(async () => {
    stand = await startWorkingStand({ MAX_POSE_AWAY_SECONDS: '3' });
  });
  after(() => stand.drop());
  beforeEach(() => {
    stand.pose.reset();
    stand.pose.health = { status: 'ready' };
  });

  test('a pose-service that is busy costs no attempt', async () => {
    let asked = 0;
    const busy = { type: 'urn:pose-service:problem:busy', detail: 'full' };
    stand.pose.answer = (_request, response) => {
      asked += 1;
      if (asked > 2) return sendJson(response, 200, { people: [] });
      return response.writeHead(503, { 'Retry-After': '1' }).end(JSON.stringify(busy));
    };
    const { status, attempts } = await analyse(stand.url, { photo: uniquePhoto() });
    assert.deepEqual([status, attempts, asked], ['done', 1, 3]);
  });

  test('a pose-service that starts is waited for, and says so meanwhile', async () => {
    stand.pose.health = { status: 'starting' };
    stand.pose.answer = (_request, response) =>
      response.writeHead(503, { 'Retry-After': '1' }).end('{"status":"starting","reason":"loading"}');
    const { id } = await (await post(stand.url, { photo: uniquePhoto() })).json();
    const read = async () => (await fetch(`${stand.url}/api/analyses/${id}`)).json();
    await until(async () => /loading/.test((await read()).progress?.waitingFor), { what: 'the reason' });
    stand.pose.reset();
    stand.pose.health = { status: 'ready' };
    await until(async () => (await read()).status === 'done');
  });

  test('a pose-service that stays away fails what waits', async () => {
    stand.pose.health = { status: 'starting' };
    stand.pose.answer = (_request, response) => sendJson(response, 503, { status: 'starting' });
    const { status, error } = await analyse(stand.url, { photo: uniquePhoto() });
    assert.deepEqual([status, error.status], ['failed', 503]);
    assert.match(error.detail, /away/);
  });

  test('silence is repeated, and fails after the last attempt', async () => {
    const impatient = await startWorkingStand({ POSE_TIMEOUT_MS: '300' });
    try {
      impatient.pose.answer = () => {};
      const { status, error, attempts } = await analyse(impatient.url, { photo: uniquePhoto() });
      assert.deepEqual([status, error.status, attempts], ['failed', 504, 3]);
    } finally {
      await impatient.drop();
    }
  });

  test('a photo that no thumbnail can be made of is an analysis like any other', async () => {
    const bmp = Buffer.concat([Buffer.from('BM'), Buffer.alloc(12), Buffer.from([40]), Buffer.alloc(87)]);
    const { status, links } = await analyse(stand.url, { photo: bmp });
    assert.deepEqual([status, links.thumbnail], ['done', null]);
  });
});
