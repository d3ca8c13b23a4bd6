import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import {
  analyse,
  countStored,
  ESTIMATE,
  makePhoto,
  post,
  sendJson,
  startWorkingStand,
  uniquePhoto,
  WITH_MONGO,
} from './stand.js';

const NOBODY = 'ffffffffffffffffffffffff';

async function assertProblem(response, status) {
  assert.equal(response.status, status);
  assert.match(response.headers.get('Content-Type'), /^application\/problem\+json/);
  const problem = await response.json();
  assert.equal(problem.status, status);
  for (const member of ['type', 'title', 'detail', 'instance']) assert.ok(problem[member], member);
  return problem;
}

describe('analyses', WITH_MONGO, () => {
  let stand;
  before(async () => {
    stand = await startWorkingStand();
  });
  after(() => stand.drop());
  beforeEach(async () => {
    await stand.empty();
    stand.pose.reset();
  });

  const get = (path, options) => fetch(`${stand.url}${path}`, options);

  test('a posted photo is accepted at once, and becomes an analysis that can be read again', async () => {
    const photo = makePhoto(600_000);
    const response = await post(stand.url, { photo, filename: 'Schöner "Sprung".png' });
    const accepted = await response.json();
    assert.equal(response.status, 201);
    assert.equal(response.headers.get('Location'), `/api/analyses/${accepted.id}`);
    assert.deepEqual([accepted.pose, accepted.duplicate], [null, false]);
    assert.ok(['received', 'estimating'].includes(accepted.status), accepted.status);

    await analyse(stand.url, { photo });
    const { createdAt, history, sha256, links, ...rest } = await (
      await get(`/api/analyses/${accepted.id}`)
    ).json();
    assert.deepEqual(rest, {
      id: accepted.id,
      filename: 'Schöner "Sprung".png',
      name: 'Schöner "Sprung".png',
      contentType: 'image/png',
      kind: 'photo',
      bytes: photo.length,
      stance: 'auto',
      status: 'done',
      people: 1,
      revision: 3,
      progress: null,
      attempts: 1,
      pose: ESTIMATE,
      summary: null,
    });
    assert.deepEqual(
      history.map(({ status, revision }) => [status, revision]),
      [
        ['received', 1],
        ['estimating', 2],
        ['done', 3],
      ],
    );
    assert.equal(sha256, createHash('sha256').update(photo).digest('hex'));
    assert.ok(Math.abs(Date.parse(createdAt) - Date.now()) < 60_000);
    assert.equal((await get(links.thumbnail)).status, 200);
  });

  test('the same file a second time is the same analysis, and nothing is stored again', async () => {
    const first = await analyse(stand.url);
    const stored = await countStored(stand.database);
    const response = await post(stand.url, { filename: 'other-name.png' });
    const { id, duplicate } = await response.json();
    assert.deepEqual([response.status, id, duplicate], [200, first.id, true]);
    assert.deepEqual(await countStored(stand.database), stored);
    assert.equal(stand.pose.received.length > 0, true);
  });

  test('two uploads of the same file at the same time are one analysis', async () => {
    const photo = uniquePhoto(300_000);
    const responses = await Promise.all(Array.from({ length: 5 }, () => post(stand.url, { photo })));
    const answers = await Promise.all(responses.map((response) => response.json()));
    assert.equal(new Set(answers.map(({ id }) => id)).size, 1);
    assert.deepEqual(responses.map(({ status }) => status).sort(), [200, 200, 200, 200, 201]);
    assert.deepEqual(await countStored(stand.database), { files: 1, chunks: 1 });
  });

  test('the same file in another stance is another analysis, and the pose-service hears of the stance', async () => {
    const first = await analyse(stand.url);
    const second = await analyse(stand.url, { query: '?stance=goofy' });
    assert.notEqual(first.id, second.id);
    assert.equal(second.stance, 'goofy');
    assert.equal(stand.pose.requests.at(-1).query.stance, 'goofy');
    await assertProblem(await post(stand.url, { query: '?stance=left' }), 400);
  });

  test('what the pose-service says of the image is the reason of the failure, and it is asked only once', async () => {
    const said = { type: 'urn:x', title: 'Unreadable', status: 422, detail: 'The image is cut off.' };
    let asked = 0;
    stand.pose.answer = (_request, response) => sendJson(response, 422, said, (asked += 1));
    const { status, error, pose, attempts } = await analyse(stand.url);
    assert.deepEqual([status, error, pose, attempts, asked], ['failed', said, null, 1, 1]);
  });

  test('a failed analysis is tried again when it is asked for, or when its file comes again', async () => {
    stand.pose.answer = (_request, response) => sendJson(response, 422, { detail: 'no' });
    const { id } = await analyse(stand.url);
    stand.pose.reset();
    const retried = await get(`/api/analyses/${id}/retry`, { method: 'POST' });
    assert.equal(retried.status, 202);
    assert.equal((await analyse(stand.url)).status, 'done');
    await assertProblem(await get(`/api/analyses/${id}/retry`, { method: 'POST' }), 409);

    await stand.database.files.updateOne({}, { $set: { 'metadata.status': 'failed' } });
    const again = await analyse(stand.url);
    assert.deepEqual([again.id, again.status, again.duplicate], [id, 'done', true]);
  });

  for (const id of [NOBODY, 'x', '..%2f..%2fetc', '%00']) {
    for (const [method, suffix] of [
      ['GET', ''],
      ['DELETE', ''],
      ['GET', '/media'],
      ['GET', '/events'],
      ['GET', '/frames'],
      ['GET', '/thumbnail'],
      ['GET', '/export'],
      ['POST', '/restore'],
      ['POST', '/retry'],
    ]) {
      test(`${method} /api/analyses/${id}${suffix} is 404`, async () => {
        await assertProblem(await get(`/api/analyses/${id}${suffix}`, { method }), 404);
      });
    }
  }

  test('a path that cannot be decoded is 400', async () => {
    await assertProblem(await get('/api/analyses/%E0%A4%A'), 400);
  });

  for (const [method, path, allow] of [
    ['PUT', '/api/analyses', 'GET, POST, HEAD, OPTIONS'],
    ['POST', `/api/analyses/${NOBODY}`, 'GET, PATCH, DELETE, HEAD, OPTIONS'],
    ['DELETE', `/api/analyses/${NOBODY}/media`, 'GET, HEAD, OPTIONS'],
    ['POST', '/health', 'GET, HEAD, OPTIONS'],
  ]) {
    test(`${method} ${path} is 405 and tells what is allowed`, async () => {
      const response = await get(path, { method });
      await assertProblem(response, 405);
      assert.equal(response.headers.get('Allow'), allow);
    });
  }

  test('an unknown path is 404, the index names the known ones', async () => {
    await assertProblem(await get('/nowhere'), 404);
    assert.equal((await (await get('/')).json()).links.health, '/health');
  });

  test('no more estimates run at once than allowed', async () => {
    let running = 0;
    let most = 0;
    stand.pose.answer = (_request, response) => {
      most = Math.max(most, (running += 1));
      setTimeout(() => sendJson(response, 200, ESTIMATE, (running -= 1)), 50);
    };
    const posts = Array.from({ length: 12 }, () => analyse(stand.url, { photo: uniquePhoto() }));
    const analyses = await Promise.all(posts);
    assert.deepEqual(new Set(analyses.map(({ status }) => status)), new Set(['done']));
    assert.equal(most, stand.settings.poseConcurrency);
  });
});
