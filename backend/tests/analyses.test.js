import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { countStored, ESTIMATE, makePhoto, post, sendJson, startStand, WITH_MONGO } from './stand.js';

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
    stand = await startStand();
    await stand.storage.ping();
  });
  after(() => stand.drop());
  beforeEach(async () => {
    await Promise.all([stand.storage.files.deleteMany({}), stand.storage.chunks.deleteMany({})]);
    stand.pose.answer = (_request, response) => sendJson(response, 200, ESTIMATE);
  });

  const get = (path, options) => fetch(`${stand.url}${path}`, options);

  test('a posted photo becomes an analysis that can be read again', async () => {
    const photo = makePhoto(600_000);
    const response = await post(stand.url, { photo, filename: 'Schöner "Sprung".png' });
    const analysis = await response.json();
    assert.equal(response.status, 201);
    assert.equal(response.headers.get('Location'), `/api/analyses/${analysis.id}`);
    const { id, createdAt, history, ...rest } = analysis;
    assert.deepEqual(rest, {
      filename: 'Schöner "Sprung".png',
      contentType: 'image/png',
      bytes: photo.length,
      status: 'done',
      pose: ESTIMATE,
    });
    assert.deepEqual(
      history.map(({ status }) => status),
      ['received', 'estimating', 'done'],
    );
    assert.ok(Math.abs(Date.parse(createdAt) - Date.now()) < 60_000);
    assert.deepEqual(await (await get(`/api/analyses/${id}`)).json(), analysis);
  });

  test('what the pose-service says of the image is passed on, and nothing is kept', async () => {
    const said = {
      type: 'about:blank',
      title: 'Unprocessable Entity',
      status: 422,
      detail: 'The image is cut off.',
    };
    stand.pose.answer = (_request, response) => sendJson(response, 422, said);
    const response = await post(stand.url);
    const problem = await assertProblem(response, 422);
    assert.equal(response.headers.get('Location'), null);
    assert.deepEqual(problem, { ...said, instance: '/api/analyses' });
    assert.deepEqual(await countStored(stand.storage), { files: 0, chunks: 0 });
  });

  test('a pose-service that hangs up is 502, and nothing is kept', async () => {
    stand.pose.answer = (request) => request.socket.destroy();
    await assertProblem(await post(stand.url), 502);
    assert.deepEqual(await countStored(stand.storage), { files: 0, chunks: 0 });
  });

  test('the list is newest first, in pages, without poses', async () => {
    const posted = [];
    for (const name of ['a.png', 'b.png', 'c.png']) {
      posted.push((await (await post(stand.url, { filename: name })).json()).id);
    }
    const first = await (await get('/api/analyses?limit=2')).json();
    const second = await (await get(first.next)).json();
    assert.deepEqual(
      [...first.items, ...second.items].map(({ id }) => id),
      posted.reverse(),
    );
    assert.equal(first.total, 3);
    assert.equal(second.next, null);
    const { filename, people, pose } = first.items[0];
    assert.deepEqual({ filename, people, pose }, { filename: 'c.png', people: 1, pose: undefined });
  });

  for (const query of [
    'limit=0',
    'limit=101',
    'limit=x',
    'limit=1&limit=2',
    'before=me',
    'before[a]=1&before=2',
  ]) {
    test(`a list with ${query} is 400`, async () => {
      await assertProblem(await get(`/api/analyses?${query}`), 400);
    });
  }

  test('a deleted analysis is gone with its media', async () => {
    const { id } = await (await post(stand.url, { photo: makePhoto(600_000) })).json();
    assert.ok((await countStored(stand.storage)).chunks > 1);
    assert.equal((await get(`/api/analyses/${id}`, { method: 'DELETE' })).status, 204);
    assert.deepEqual(await countStored(stand.storage), { files: 0, chunks: 0 });
    await assertProblem(await get(`/api/analyses/${id}`, { method: 'DELETE' }), 404);
  });

  for (const id of [NOBODY, 'x', '..%2f..%2fetc', '%00']) {
    for (const [method, suffix] of [
      ['GET', ''],
      ['DELETE', ''],
      ['GET', '/media'],
      ['GET', '/events'],
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
    ['POST', `/api/analyses/${NOBODY}`, 'GET, DELETE, HEAD, OPTIONS'],
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
    const responses = await Promise.all(Array.from({ length: 12 }, () => post(stand.url)));
    assert.deepEqual(new Set(responses.map(({ status }) => status)), new Set([201]));
    assert.equal(most, stand.settings.poseConcurrency);
  });
});
