import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { analyse, makeClip, post, sendClip, startWorkingStand, SUMMARY, until, WITH_MONGO } from './stand.js';

describe('clips', WITH_MONGO, () => {
  let stand;
  before(async () => {
    stand = await startWorkingStand();
  });
  after(() => stand.drop());
  beforeEach(async () => {
    await stand.empty();
    stand.pose.reset();
  });

  const get = (path) => fetch(`${stand.url}${path}`);
  const readJson = async (path) => (await get(path)).json();
  const clip = (options) => analyse(stand.url, { photo: makeClip(1000), filename: 'ride.mp4', ...options });

  test('a clip becomes frames, a summary and the number of its people', async () => {
    stand.pose.answerClip = (_request, response) => sendClip(response, { frames: 120, people: 2 });
    const { id, kind, status, people, pose, summary, progress } = await clip();
    assert.deepEqual([kind, status, people, pose, summary], ['clip', 'done', 2, null, SUMMARY]);
    assert.deepEqual([progress.framesDone, progress.framesTotal], [120, 120]);
    const { items, total, next } = await readJson(`/api/analyses/${id}/frames?limit=1000`);
    assert.deepEqual([total, next], [120, null]);
    assert.deepEqual(
      items.map(({ index }) => index),
      Array.from({ length: 120 }, (_, i) => i),
    );
  });

  test('frames come in pages, and with the details that are asked for', async () => {
    const { links } = await clip();
    const first = await readJson(`${links.frames}?limit=2&fields=measures`);
    const second = await readJson(first.next);
    assert.deepEqual(
      [...first.items, ...second.items].map(({ index }) => index),
      [0, 1, 2],
    );
    assert.equal(second.next, null);
    assert.deepEqual(Object.keys(second.items[0].people[0]), ['id', 'measures']);
  });

  test('the numbers of the export are those of the frames', async () => {
    stand.pose.answerClip = (_request, response) => sendClip(response, { frames: 3, people: 2 });
    const { id, links } = await clip();
    const { items } = await readJson(links.frames);
    const exported = await readJson(links.exportJson);
    assert.deepEqual([exported.id, exported.frames], [id, items]);

    const response = await get(links.exportCsv);
    assert.match(response.headers.get('Content-Disposition'), /^attachment; filename="ride\.csv"/);
    const [header, ...rows] = (await response.text()).trim().split('\r\n');
    assert.equal(
      header,
      'frame,time_seconds,person,score,box_x0,box_y0,box_x1,box_y1,edge,left_knee (degrees)',
    );
    assert.deepEqual(
      rows.map((row) => [row.split(',')[0], row.split(',')[2], row.split(',').at(-1)]),
      items.flatMap(({ index, people }) =>
        people.map((person) => [String(index), String(person.id), String(person.measures.left_knee.value)]),
      ),
    );
  });

  test('a frame without people has a row of its own', async () => {
    stand.pose.answerClip = (_request, response) => sendClip(response, { frames: 2, people: 0 });
    const { links } = await clip();
    const [, ...rows] = (await (await get(links.exportCsv)).text()).trim().split('\r\n');
    assert.deepEqual(rows, ['0,0,,,,,,', `1,${1 / 30},,,,,,`]);
  });

  test('a photo has an export and no frames', async () => {
    const { links, id } = await analyse(stand.url);
    assert.equal((await get(`/api/analyses/${id}/frames`)).status, 409);
    assert.equal((await (await get(links.exportCsv)).text()).split('\r\n')[1].split(',')[2], '0');
    assert.equal((await get(`${links.self}/export?format=xml`)).status, 400);
  });

  test('what breaks in the middle is repeated from the beginning, and the rests are gone', async () => {
    let asked = 0;
    stand.pose.answerClip = (_request, response) => {
      asked += 1;
      if (asked === 1) return sendClip(response, { frames: 60, last: null });
      return sendClip(response, { frames: 4 });
    };
    const { id, status, attempts } = await clip();
    assert.deepEqual([status, attempts, asked], ['done', 2, 2]);
    assert.equal((await readJson(`/api/analyses/${id}/frames`)).total, 4);
    await until(async () => (await stand.database.frames.countDocuments()) === 4, { what: 'the clean-up' });
  });

  test('what breaks every time fails with the last reason', async () => {
    const last = {
      problem: { status: 503, type: 'urn:pose-service:problem:engine-lost', detail: 'It crashed.' },
    };
    stand.pose.answerClip = (_request, response) => sendClip(response, { frames: 1, last });
    const { status, attempts, error } = await clip();
    assert.deepEqual([status, attempts, error.status], ['failed', 3, 502]);
    assert.match(error.detail, /It crashed/);
    assert.equal(
      (await get(`/api/analyses/${(await readJson('/api/analyses')).items[0].id}/export`)).status,
      409,
    );
  });

  test('a clip does not keep photos waiting', async () => {
    stand.pose.answerClip = (_request, response) => sendClip(response, { frames: 200, pauseMs: 20 });
    const { id } = await (await post(stand.url, { photo: makeClip(500) })).json();
    const other = await (await post(stand.url, { photo: makeClip(501) })).json();
    assert.equal((await analyse(stand.url)).status, 'done');
    const states = await Promise.all([id, other.id].map((one) => readJson(`/api/analyses/${one}`)));
    assert.deepEqual(states.map(({ status }) => status).sort(), ['estimating', 'received']);
  });

  test('a deleted clip is worked on no more', async () => {
    let isClosed = false;
    stand.pose.answerClip = (_request, response) => {
      response.on('close', () => (isClosed = true));
      return sendClip(response, { frames: 1000, pauseMs: 20 });
    };
    const { id } = await (await post(stand.url, { photo: makeClip(500) })).json();
    await until(async () => (await readJson(`/api/analyses/${id}`)).progress?.framesDone > 0);
    await fetch(`${stand.url}/api/analyses/${id}`, { method: 'DELETE' });
    await until(() => isClosed, { what: 'the end of the work' });
  });
});
