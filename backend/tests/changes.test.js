import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import {
  analyse,
  countStored,
  makeClip,
  makePhoto,
  post,
  startWorkingStand,
  until,
  WITH_MONGO,
} from './stand.js';

describe('changes', WITH_MONGO, () => {
  let stand;
  before(async () => {
    stand = await startWorkingStand();
  });
  after(() => stand.drop());
  beforeEach(() => stand.empty());

  const send = (method, path, body, type = 'application/json') =>
    fetch(`${stand.url}/api/analyses/${path}`, {
      method,
      body,
      headers: body ? { 'Content-Type': type } : {},
    });

  test('a new name is shown and found, the file name stays', async () => {
    const { id } = await analyse(stand.url);
    const response = await send('PATCH', id, JSON.stringify({ name: '  Backside 180\u202e  ' }));
    const { name, filename } = await response.json();
    assert.deepEqual([response.status, name, filename], [200, 'Backside 180', 'photo.png']);
    const { items } = await (await fetch(`${stand.url}/api/analyses?q=backside`)).json();
    assert.equal(items[0].id, id);
  });

  for (const [body, type, status] of [
    ['{"name":""}', 'application/json', 400],
    ['{"name":"\\u0007 "}', 'application/json', 400],
    ['{"name":5}', 'application/json', 400],
    ['{"name":"a","status":"done"}', 'application/json', 400],
    ['[]', 'application/json', 400],
    ['{', 'application/json', 400],
    [`{"name":"${'x'.repeat(9000)}"}`, 'application/json', 413],
    ['name=a', 'application/x-www-form-urlencoded', 415],
  ]) {
    test(`PATCH with ${body.slice(0, 30)} is ${status}`, async () => {
      const { id } = await analyse(stand.url);
      const response = await send('PATCH', id, body, type);
      assert.equal(response.status, status);
      assert.match(response.headers.get('Content-Type'), /problem\+json/);
    });
  }

  test('a deleted analysis is gone at once, and comes back as it was', async () => {
    const before = await analyse(stand.url, { photo: makePhoto(600_000) });
    const { id } = before;
    const response = await send('DELETE', id);
    assert.equal(response.status, 204);
    assert.ok(Date.parse(response.headers.get('Undo-Until')) > Date.now());
    for (const path of ['', '/media', '/events', '/thumbnail', '/picture', '/export']) {
      assert.equal((await send('GET', id + path)).status, 404, path);
    }
    assert.equal((await (await fetch(`${stand.url}/api/analyses`)).json()).total, 0);
    assert.equal((await send('DELETE', id)).status, 404);

    const { revision, ...restored } = await (await send('POST', `${id}/restore`)).json();
    const { revision: earlier, ...expected } = before;
    delete expected.duplicate;
    assert.deepEqual(restored, expected);
    assert.ok(revision > earlier);
    assert.equal((await send('POST', `${id}/restore`)).status, 200);
  });

  test('a file that was deleted and uploaded again is a new analysis, and the old one stays away', async () => {
    const { id } = await analyse(stand.url);
    await send('DELETE', id);
    const again = await analyse(stand.url);
    assert.deepEqual([again.duplicate, again.id === id], [false, false]);
    assert.equal((await send('POST', `${id}/restore`)).status, 409);
  });

  test('after its time nothing of a deleted analysis is left', async () => {
    const ids = [];
    for (const photo of [makePhoto(), makeClip(64, 'heic'), makeClip(500)]) {
      ids.push((await analyse(stand.url, { photo })).id);
    }
    assert.equal(await stand.database.pictures.countDocuments(), 1);
    const kept = await analyse(stand.url, { photo: makeClip(600) });
    for (const id of ids) await send('DELETE', id);
    await stand.analyses.purge(60_000);
    assert.equal((await countStored(stand.database)).files, 4);
    await stand.analyses.purge(0);
    assert.deepEqual(await countStored(stand.database), { files: 1, chunks: 1 });
    assert.deepEqual((await stand.database.frames.distinct('analysis')).map(String), [kept.id]);
    assert.equal(await stand.database.thumbnails.countDocuments(), 0);
    assert.equal(await stand.database.pictures.countDocuments(), 0);
    assert.equal((await send('POST', `${ids[0]}/restore`)).status, 404);
  });

  test('a purge that was cut off is finished by the next, and nobody gets the rest back', async () => {
    const { id } = await analyse(stand.url);
    await send('DELETE', id);
    await stand.database.files.updateOne({}, { $set: { 'metadata.isPurged': true } });
    await stand.database.chunks.deleteMany({});
    assert.equal((await send('POST', `${id}/restore`)).status, 404);
    assert.equal(await stand.analyses.purge(60_000), 1);
    assert.deepEqual(await countStored(stand.database), { files: 0, chunks: 0 });
  });

  test('frames without an analysis are swept', async () => {
    await stand.frames.write({ id: 'nobody', token: 't' }, [{ index: 0 }]);
    assert.equal(await stand.frames.removeOrphans(), 1);
    assert.equal(await stand.database.frames.countDocuments(), 0);
  });

  test('a short undo time is kept by the janitor', async () => {
    const quick = await startWorkingStand({
      DELETE_UNDO_SECONDS: '0',
      MONGO_DATABASE: `${stand.settings.mongoDatabase}-q`,
    });
    try {
      const { id } = await (await post(quick.url)).json();
      await fetch(`${quick.url}/api/analyses/${id}`, { method: 'DELETE' });
      await until(async () => (await countStored(quick.database)).files === 0, { what: 'the purge' });
    } finally {
      await quick.drop();
    }
  });
});
