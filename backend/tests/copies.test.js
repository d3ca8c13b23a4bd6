import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { randomUUID } from 'node:crypto';
import { analyse, JPEG, makeClip, post, sendJson, startWorkingStand, until, WITH_MONGO } from './stand.js';

const TIFF = Buffer.concat([Buffer.from('49492a0008000000', 'hex'), Buffer.alloc(60)]);

describe('copies of photos that browsers cannot show', WITH_MONGO, () => {
  let stand;
  before(async () => {
    stand = await startWorkingStand();
  });
  after(() => stand.drop());
  beforeEach(async () => {
    await stand.empty();
    stand.pose.reset();
    stand.pose.requests.length = 0;
  });

  const heic = () => Buffer.concat([makeClip(64, 'heic'), Buffer.from(randomUUID())]);
  const get = (path, options) => fetch(`${stand.url}${path}`, options);
  const countCopies = () => stand.pose.requests.filter(({ path }) => path === '/picture').length;

  for (const [name, photo, contentType] of [
    ['HEIC', heic(), 'image/heic'],
    ['TIFF', TIFF, 'image/tiff'],
  ]) {
    test(`${name} is kept as it is, and shown as a JPEG with a thumbnail of that`, async () => {
      const { status, links } = await analyse(stand.url, { photo });
      assert.deepEqual([status, links.picture], ['done', `${links.self}/picture`]);
      const media = await get(links.media);
      assert.equal(media.headers.get('Content-Type'), contentType);
      assert.deepEqual(Buffer.from(await media.arrayBuffer()), photo);
      const picture = await get(links.picture);
      assert.deepEqual([picture.status, picture.headers.get('Content-Type')], [200, 'image/jpeg']);
      assert.deepEqual(Buffer.from(await picture.arrayBuffer()), JPEG);
      // Without Cache-Control fetch adds no-cache of its own, which asks for the whole.
      const known = { 'If-None-Match': picture.headers.get('ETag'), 'Cache-Control': 'max-age=0' };
      assert.equal((await get(links.picture, { headers: known })).status, 304);
      assert.equal((await get(links.thumbnail)).headers.get('Content-Type'), 'image/webp');
      assert.equal(countCopies(), 1);
    });
  }

  test('a photo that browsers show is its own picture', async () => {
    const { links } = await analyse(stand.url);
    assert.equal(links.picture, links.media);
    assert.equal((await get(`${links.self}/picture`)).status, 404);
    assert.equal(countCopies(), 0);
  });

  test('there is none before it is made, nor of a clip', async () => {
    stand.pose.answerPicture = () => {};
    const { links } = await (await post(stand.url, { photo: heic() })).json();
    await until(() => countCopies() === 1);
    assert.equal(links.picture, null);
    assert.equal((await get(`${links.self}/picture`)).status, 404);
    await get(links.self, { method: 'DELETE' });
    assert.equal((await analyse(stand.url, { photo: makeClip() })).links.picture, null);
  });

  test('a busy pose-service is asked again for it, and costs no attempt', async () => {
    const { answerPicture } = stand.pose;
    stand.pose.answerPicture = (_request, response) => {
      stand.pose.answerPicture = answerPicture;
      response.setHeader('Retry-After', '1');
      sendJson(response, 503, { type: 'urn:pose-service:problem:busy', detail: 'full' });
    };
    const { status, attempts, links } = await analyse(stand.url, { photo: heic() });
    assert.deepEqual([status, attempts], ['done', 1]);
    assert.equal((await get(links.picture)).status, 200);
    assert.equal(countCopies(), 2);
  });

  test('a file that the pose-service cannot read fails with its reason, without a copy', async () => {
    stand.pose.answer = (_request, response) => sendJson(response, 422, { detail: 'The image is damaged.' });
    const { status, error, links } = await analyse(stand.url, { photo: heic() });
    assert.deepEqual([status, error.detail, links.picture], ['failed', 'The image is damaged.', null]);
  });
});
