import assert from 'node:assert/strict';
import { request as open } from 'node:http';
import { after, before, beforeEach, describe, test } from 'node:test';
import {
  countStored,
  makeClip,
  makePhoto,
  post,
  startWorkingStand,
  uniquePhoto,
  until,
  WITH_MONGO,
} from './stand.js';

const BOUNDARY = 'cut-here';
const PART_HEAD =
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="media"; filename="a.png"\r\n` +
  'Content-Type: image/png\r\n\r\n';

describe('upload', WITH_MONGO, () => {
  let stand;
  before(async () => {
    stand = await startWorkingStand();
  });
  after(() => stand.drop());
  beforeEach(() => stand.empty());

  const send = (body, type) =>
    fetch(`${stand.url}/api/analyses`, {
      method: 'POST',
      body,
      duplex: 'half',
      headers: type ? { 'Content-Type': type } : {},
    });

  async function assertRefused(response, status, hint) {
    assert.equal(response.status, status);
    assert.match((await response.json()).detail, hint);
    assert.deepEqual(await countStored(stand.database), { files: 0, chunks: 0 });
    assert.equal((await post(stand.url, { photo: uniquePhoto() })).status, 201, 'the API goes on');
  }

  function formWith(...entries) {
    const form = new FormData();
    for (const [name, value] of entries) form.append(name, value);
    return form;
  }

  const photo = () => new Blob([makePhoto()], { type: 'image/png' });

  test('a body that is no form is 415', async () => {
    await assertRefused(await send(makePhoto(), 'image/png'), 415, /multipart\/form-data/);
  });

  test('no body is 415', async () => {
    await assertRefused(await send(undefined), 415, /multipart\/form-data/);
  });

  test('text that calls itself a photo is 415', async () => {
    const response = await post(stand.url, {
      photo: Buffer.from('hello'),
      filename: 'a.jpg',
      type: 'image/jpeg',
    });
    await assertRefused(response, 415, /photo/);
  });

  test('an empty file is 415', async () => {
    await assertRefused(await post(stand.url, { photo: Buffer.alloc(0) }), 415, /empty/);
  });

  test('a form without the field is 400', async () => {
    await assertRefused(await send(formWith(['note', 'hi'])), 400, /"media"/);
  });

  test('a text in place of the file is 400', async () => {
    await assertRefused(await send(formWith(['media', 'hi'])), 400, /"media"/);
  });

  test('a file in another field is 400', async () => {
    await assertRefused(await send(formWith(['photo', photo()])), 400, /"media"/);
  });

  test('two files are 400', async () => {
    await assertRefused(await send(formWith(['media', photo()], ['media', photo()])), 400, /file/i);
  });

  test('a form that ends too soon is 400', async () => {
    const body = Buffer.concat([Buffer.from(PART_HEAD), makePhoto(400_000)]);
    await assertRefused(await send(body, `multipart/form-data; boundary=${BOUNDARY}`), 400, /form/);
  });

  test('a form without a boundary is 400', async () => {
    await assertRefused(await send('x', 'multipart/form-data'), 400, /[Bb]oundary/);
  });

  test('a file above the limit is 413 by its announced length', async () => {
    await assertRefused(await post(stand.url, { photo: makePhoto(4_000_000) }), 413, /3 MB/);
  });

  test('a photo above its own limit is 413 though a clip may be that large', async () => {
    await assertRefused(await post(stand.url, { photo: makePhoto(2_500_000) }), 413, /photo .* 2 MB/);
    assert.equal((await post(stand.url, { photo: makeClip(2_500_000) })).status, 201);
  });

  test('a file above the limit is 413 when its length is not announced', async () => {
    async function* pieces() {
      yield Buffer.from(PART_HEAD);
      for (let i = 0; i < 30; i += 1) yield makePhoto(100_000);
      yield Buffer.from(`\r\n--${BOUNDARY}--\r\n`);
    }
    const response = await send(pieces(), `multipart/form-data; boundary=${BOUNDARY}`);
    await assertRefused(response, 413, /2 MB/);
  });

  test('a file of exactly the limit is taken', async () => {
    assert.equal((await post(stand.url, { photo: makePhoto(2 * 1024 * 1024) })).status, 201);
  });

  test('the stored type is what the bytes say, not what the sender says', async () => {
    const { contentType } = await (await post(stand.url, { type: 'text/html', filename: 'a.html' })).json();
    assert.equal(contentType, 'image/png');
  });

  test("a file whose form is not over is nobody else's duplicate", async () => {
    const file = uniquePhoto(1_500_000);
    const request = open(`${stand.url}/api/analyses`, {
      method: 'POST',
      headers: { 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}` },
    });
    request.on('error', () => {});
    const nextPart = `\r\n--${BOUNDARY}\r\nContent-Disposition: form-data; name="x"\r\n\r\n`;
    request.write(Buffer.concat([Buffer.from(PART_HEAD), file, Buffer.from(nextPart)]));
    await until(async () => (await countStored(stand.database)).chunks > 0, { what: 'the chunks' });
    const { id, duplicate } = await (await post(stand.url, { photo: file })).json();
    assert.equal(duplicate, false);
    request.destroy();
    await until(async () => (await countStored(stand.database)).chunks === 2, { what: 'the clean-up' });
    assert.equal((await fetch(`${stand.url}/api/analyses/${id}`)).status, 200);
  });

  test('an upload that breaks off leaves nothing', async () => {
    const request = open(`${stand.url}/api/analyses`, {
      method: 'POST',
      headers: { 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}` },
    });
    request.on('error', () => {});
    request.write(PART_HEAD);
    request.write(makePhoto(1_500_000));
    await until(async () => (await countStored(stand.database)).chunks > 0, { what: 'the first chunks' });
    request.destroy();
    await until(async () => (await countStored(stand.database)).chunks === 0, { what: 'the clean-up' });
    assert.deepEqual(await countStored(stand.database), { files: 0, chunks: 0 });
    assert.equal((await post(stand.url, { photo: uniquePhoto() })).status, 201, 'the API goes on');
  });
});
