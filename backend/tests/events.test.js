import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import {
  analyse,
  makeClip,
  post,
  sendClip,
  sendJson,
  startWorkingStand,
  uniquePhoto,
  until,
  WITH_MONGO,
} from './stand.js';

/** The events of a whole stream as {event, id, data}. */
function parseEvents(text) {
  return text
    .split('\n\n')
    .filter((block) => block.startsWith('event:'))
    .map((block) => {
      const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s)));
      return { ...fields, id: Number(fields.id), data: JSON.parse(fields.data) };
    });
}

const statesOf = (events) => events.filter(({ event }) => event === 'status').map(({ data }) => data.status);

describe('events', WITH_MONGO, () => {
  let stand;
  before(async () => {
    stand = await startWorkingStand();
  });
  after(() => stand.drop());
  beforeEach(() => stand.pose.reset());

  const listen = (id, headers) => fetch(`${stand.url}/api/analyses/${id}/events`, { headers });
  const read = async (id) => (await fetch(`${stand.url}/api/analyses/${id}`)).json();
  const readEvents = async (id, headers) => parseEvents(await (await listen(id, headers)).text());

  /** An analysis that is being worked on until release() is called. */
  async function startHeldAnalysis() {
    let release;
    const held = new Promise((resolve) => (release = resolve));
    stand.pose.answer = async (_request, response) => {
      await held;
      sendJson(response, 200, { people: [] });
    };
    const { id } = await (await post(stand.url, { photo: uniquePhoto() })).json();
    await until(async () => (await read(id)).status === 'estimating');
    return { id, release };
  }

  test('the stream tells every state, also those before it, with growing ids, and ends', async () => {
    const { id, release } = await startHeldAnalysis();
    const response = await listen(id);
    assert.match(response.headers.get('Content-Type'), /^text\/event-stream/);
    release();
    const events = parseEvents(await response.text());
    assert.deepEqual(statesOf(events), ['received', 'estimating', 'done']);
    assert.ok(events.every((event, i) => i === 0 || event.id >= events[i - 1].id));
    assert.equal(events.at(-1).data.people, 0);
  });

  test('a clip tells how far it is, and how long it will take', async () => {
    stand.pose.answerClip = (_request, response) =>
      sendClip(response, { frames: 60, pauseMs: 30, people: 2 });
    const { id } = await (await post(stand.url, { photo: makeClip(500) })).json();
    const events = await readEvents(id);
    const told = events.filter(({ event }) => event === 'progress').map(({ data }) => data);
    const [middle, last] = [told.at(-2), told.at(-1)];
    assert.ok(
      middle.framesDone > 0 && middle.framesDone < 60 && middle.etaSeconds > 0,
      JSON.stringify(middle),
    );
    assert.deepEqual([last.framesDone, last.framesTotal, last.people, last.etaSeconds], [60, 60, 2, 0]);
    assert.deepEqual(statesOf(events), ['received', 'estimating', 'done']);
  });

  test('who comes back hears only what is new', async () => {
    const { id, release } = await startHeldAnalysis();
    const { revision } = await read(id);
    const response = await listen(id, { 'Last-Event-ID': String(revision) });
    release();
    assert.deepEqual(statesOf(parseEvents(await response.text())), ['done']);
  });

  test('who comes back after the last state is told to stay away', async () => {
    const { id, revision } = await analyse(stand.url, { photo: uniquePhoto() });
    assert.equal((await listen(id, { 'Last-Event-ID': String(revision) })).status, 204);
    assert.equal((await listen(id, { 'Last-Event-ID': String(revision - 1) })).status, 200);
    assert.equal((await listen(id, { 'Last-Event-ID': 'nonsense' })).status, 200);
  });

  test('a failure is told with its reason', async () => {
    stand.pose.answer = (_request, response) => sendJson(response, 422, { detail: 'The image is cut off.' });
    const { id } = await (await post(stand.url, { photo: uniquePhoto() })).json();
    const { data } = (await readEvents(id)).at(-1);
    assert.deepEqual([data.status, data.error.detail], ['failed', 'The image is cut off.']);
  });

  test('a deleted analysis ends the stream', async () => {
    const { id, release } = await startHeldAnalysis();
    const response = await listen(id);
    await fetch(`${stand.url}/api/analyses/${id}`, { method: 'DELETE' });
    assert.equal(statesOf(parseEvents(await response.text())).at(-1), 'deleted');
    release();
  });

  test('the stream of one process tells what another process does', async () => {
    const { id, release } = await startHeldAnalysis();
    const other = await startWorkingStand({ MONGO_DATABASE: stand.settings.mongoDatabase });
    try {
      const response = await fetch(`${other.url}/api/analyses/${id}/events`);
      release();
      assert.equal(statesOf(parseEvents(await response.text())).at(-1), 'done');
    } finally {
      await other.close();
    }
  });

  test('HEAD is answered at once, and a listener that leaves is forgotten', async () => {
    const { id, release } = await startHeldAnalysis();
    const response = await fetch(`${stand.url}/api/analyses/${id}/events`, { method: 'HEAD' });
    assert.equal(response.status, 200);
    const leaving = new AbortController();
    await fetch(`${stand.url}/api/analyses/${id}/events`, { signal: leaving.signal });
    assert.equal(stand.feed.listeners.size, 1);
    leaving.abort();
    await until(() => stand.feed.listeners.size === 0);
    release();
  });

  test('an address has so many streams at a time; one that ends makes room', async () => {
    const { id, release } = await startHeldAnalysis();
    const small = await startWorkingStand({
      MONGO_DATABASE: stand.settings.mongoDatabase,
      STREAMS_PER_CLIENT: '2',
    });
    const leaving = new AbortController();
    const ask = (options) => fetch(`${small.url}/api/analyses/${id}/events`, options);
    try {
      const [, second] = [await ask({ signal: leaving.signal }), await ask()];
      const refused = await ask();
      assert.equal(refused.status, 429);
      assert.ok(Number(refused.headers.get('Retry-After')) > 0);
      assert.equal((await refused.json()).status, 429);
      leaving.abort();
      await until(async () => (await ask({ method: 'HEAD' })).ok && small.feed.listeners.size === 1);
      const third = await ask();
      assert.equal(third.status, 200);
      release();
      assert.equal(statesOf(parseEvents(await third.text())).at(-1), 'done');
      await second.text();
    } finally {
      release();
      await small.close();
    }
  });
});
