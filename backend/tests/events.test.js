import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { ESTIMATE, post, sendJson, startStand, until, WITH_MONGO } from './stand.js';

/** The events of a whole stream as [event, id, data]. */
function parseEvents(text) {
  return text
    .split('\n\n')
    .filter((block) => block.startsWith('event:'))
    .map((block) => {
      const { event, id, data } = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s)));
      return [event, id, JSON.parse(data).status];
    });
}

describe('events', WITH_MONGO, () => {
  let stand;
  let release;
  before(async () => {
    stand = await startStand();
    await stand.storage.ping();
  });
  after(() => stand.drop());
  beforeEach(() => {
    const held = new Promise((resolve) => (release = resolve));
    stand.pose.answer = async (_request, response) => {
      await held;
      sendJson(response, 200, ESTIMATE);
    };
  });

  const postAsync = () => post(stand.url, { headers: { Prefer: 'respond-async' } });
  const listen = (id, headers) => fetch(`${stand.url}/api/analyses/${id}/events`, { headers });
  const read = async (id) => (await fetch(`${stand.url}/api/analyses/${id}`)).json();

  async function startAnalysis() {
    const { id } = await (await postAsync()).json();
    await until(async () => (await read(id)).status === 'estimating');
    return id;
  }

  test('an answer that is not waited for comes at once and says where to look', async () => {
    const response = await postAsync();
    const analysis = await response.json();
    assert.equal(response.status, 202);
    assert.equal(response.headers.get('Preference-Applied'), 'respond-async');
    assert.equal(response.headers.get('Location'), `/api/analyses/${analysis.id}`);
    assert.deepEqual([analysis.status, analysis.pose], ['received', null]);
    release();
    await until(async () => (await read(analysis.id)).status === 'done');
    assert.deepEqual((await read(analysis.id)).pose, ESTIMATE);
  });

  test('the stream tells every state, also those before it, and ends', async () => {
    const id = await startAnalysis();
    const response = await listen(id);
    assert.match(response.headers.get('Content-Type'), /^text\/event-stream/);
    release();
    assert.deepEqual(parseEvents(await response.text()), [
      ['status', 'received', 'received'],
      ['status', 'estimating', 'estimating'],
      ['status', 'done', 'done'],
    ]);
  });

  test('a failure is told and stays readable with its reason', async () => {
    stand.pose.answer = (_request, response) => sendJson(response, 422, { detail: 'The image is cut off.' });
    const { id } = await (await postAsync()).json();
    const events = parseEvents(await (await listen(id)).text());
    assert.equal(events.at(-1)[2], 'failed');
    const { status, error, pose } = await read(id);
    assert.deepEqual(
      [status, error.status, error.detail, pose],
      ['failed', 422, 'The image is cut off.', null],
    );
  });

  test('a deleted analysis ends the stream', async () => {
    const id = await startAnalysis();
    const response = await listen(id);
    await fetch(`${stand.url}/api/analyses/${id}`, { method: 'DELETE' });
    assert.equal(parseEvents(await response.text()).at(-1)[2], 'deleted');
    release();
  });

  test('who comes back after the last state is told to stay away', async () => {
    const id = await startAnalysis();
    release();
    await until(async () => (await read(id)).status === 'done');
    assert.equal((await listen(id, { 'Last-Event-ID': 'done' })).status, 204);
    assert.equal((await listen(id, { 'Last-Event-ID': 'received' })).status, 200);
  });

  test('HEAD is answered at once', async () => {
    const id = await startAnalysis();
    const response = await fetch(`${stand.url}/api/analyses/${id}/events`, { method: 'HEAD' });
    assert.equal(response.status, 200);
    await until(() => stand.progress.emitter.listenerCount(id) === 0);
    release();
  });

  test('a listener that leaves is forgotten', async () => {
    const id = await startAnalysis();
    const leaving = new AbortController();
    await fetch(`${stand.url}/api/analyses/${id}/events`, { signal: leaving.signal });
    assert.equal(stand.progress.emitter.listenerCount(id), 1);
    leaving.abort();
    await until(() => stand.progress.emitter.listenerCount(id) === 0);
    release();
  });
});
