import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ObjectId } from 'mongodb';
import { makePhoto, post, startWorkingStand, WITH_MONGO } from './stand.js';

describe('media', WITH_MONGO, () => {
  const photo = makePhoto(600_000);
  let stand;
  let url;
  let etag;
  before(async () => {
    stand = await startWorkingStand();
    const { id, sha256 } = await (
      await post(stand.url, { photo, filename: '雪.png', type: 'text/html' })
    ).json();
    url = `${stand.url}/api/analyses/${id}/media`;
    etag = `"${sha256}"`;
  });
  after(() => stand.drop());

  const get = (headers, method = 'GET') => fetch(url, { method, headers });
  const bytesOf = async (response) => Buffer.from(await response.arrayBuffer());

  test('comes back byte for byte, under a type that nobody may guess again', async () => {
    const response = await get();
    assert.equal(response.status, 200);
    assert.deepEqual(await bytesOf(response), photo);
    const header = (name) => response.headers.get(name);
    assert.equal(header('Content-Type'), 'image/png');
    assert.equal(header('Content-Length'), String(photo.length));
    assert.equal(header('X-Content-Type-Options'), 'nosniff');
    assert.equal(header('ETag'), etag);
    assert.match(header('Content-Security-Policy'), /sandbox/);
    assert.match(header('Cache-Control'), /^private, .*immutable/);
    assert.match(header('Content-Disposition'), /^inline; .*filename\*=UTF-8''%E9%9B%AA\.png/);
  });

  test('with download=1 a browser saves it', async () => {
    const response = await fetch(`${url}?download=1`);
    assert.match(response.headers.get('Content-Disposition'), /^attachment; /);
    await response.arrayBuffer();
  });

  test('HEAD tells the same without the bytes', async () => {
    const response = await get({}, 'HEAD');
    assert.equal(response.headers.get('Content-Length'), String(photo.length));
    assert.equal((await bytesOf(response)).length, 0);
  });

  test('a range is nothing to HEAD', async () => {
    const response = await get({ Range: 'bytes=0-9' }, 'HEAD');
    assert.deepEqual([response.status, response.headers.get('Content-Length')], [200, String(photo.length)]);
  });

  test('media of which a piece is lost are an error, and not a shorter file', async () => {
    const broken = await post(stand.url, { photo: makePhoto(700_000) });
    const { id, links } = await broken.json();
    await stand.database.chunks.deleteMany({ files_id: new ObjectId(id) });
    const response = await fetch(stand.url + links.media);
    assert.equal(response.status, 500);
    assert.match(response.headers.get('Content-Type'), /problem\+json/);
    assert.equal(response.headers.get('Content-Disposition'), null);
    assert.equal((await response.json()).status, 500);
  });

  test('a viewer that has it gets 304', async () => {
    // Without Cache-Control fetch adds no-cache of its own, which asks for the whole.
    const response = await get({ 'If-None-Match': etag, 'Cache-Control': 'max-age=0' });
    assert.equal(response.status, 304);
  });

  for (const [range, start, end] of [
    ['bytes=0-9', 0, 10],
    ['bytes=300000-', 300_000, photo.length],
    ['bytes=-5', photo.length - 5, photo.length],
    ['bytes=-900000', 0, photo.length],
    ['bytes=-999999999999', 0, photo.length],
    [`bytes=-${'9'.repeat(30)}`, 0, photo.length],
    ['bytes=599990-999999', 599_990, photo.length],
    ['bytes=261119-261121', 261_119, 261_122],
  ]) {
    test(`${range} gives that part`, async () => {
      const response = await get({ Range: range });
      assert.equal(response.status, 206);
      assert.equal(response.headers.get('Content-Range'), `bytes ${start}-${end - 1}/${photo.length}`);
      assert.deepEqual(await bytesOf(response), photo.subarray(start, end));
    });
  }

  for (const [name, headers] of [
    ['a malformed range', { Range: 'bytes=a-b' }],
    ['several ranges', { Range: 'bytes=0-1,10-20' }],
    ['a range of another version', { Range: 'bytes=0-9', 'If-Range': '"other"' }],
  ]) {
    test(`${name} gives the whole`, async () => {
      const response = await get(headers);
      assert.equal(response.status, 200);
      assert.equal((await bytesOf(response)).length, photo.length);
    });
  }

  test('the last 0 bytes are no range: 416', async () => {
    assert.equal((await get({ Range: 'bytes=-0' })).status, 416);
  });

  test('a range behind the end is 416 and tells the length', async () => {
    const response = await get({ Range: 'bytes=700000-' });
    assert.equal(response.status, 416);
    assert.equal(response.headers.get('Content-Range'), `bytes */${photo.length}`);
    assert.match(response.headers.get('Content-Type'), /problem\+json/);
    assert.equal((await response.json()).status, 416);
  });
});
