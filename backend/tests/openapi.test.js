import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { createRouter } from '../api/routes.js';
import { OPENAPI } from '../src/http/openapi.js';
import { assertAsDescribed } from './contract.js';
import {
  makeClip,
  makePhoto,
  post,
  sendJson,
  startWorkingStand,
  uniquePhoto,
  until,
  WITH_MONGO,
} from './stand.js';

const NOBODY = 'ffffffffffffffffffffffff';

test('the description is valid OpenAPI', async () => {
  const result = await new Validator().validate(structuredClone(OPENAPI));
  assert.deepEqual([result.valid, result.errors], [true, undefined]);
});

test('every route is described, and nothing else', () => {
  const { stack } = createRouter({});
  const routes = stack
    .filter(({ route }) => route)
    .flatMap(({ route }) => route.stack.map(({ method }) => method && `${method} ${route.path}`))
    .filter((line) => line?.includes('/api/analyses'))
    .map((line) => line.replace(':id', '{id}'));
  const described = Object.entries(OPENAPI.paths)
    .filter(([path]) => path.startsWith('/api/analyses'))
    .flatMap(([path, item]) =>
      Object.keys(item)
        .filter((key) => key !== 'parameters')
        .map((key) => `${key} ${path}`),
    );
  assert.ok(routes.length > 10);
  assert.deepEqual([...new Set(routes)].sort(), described.sort());
});

describe('answers are as described', WITH_MONGO, () => {
  let stand;
  before(async () => {
    stand = await startWorkingStand();
  });
  after(() => stand.drop());
  beforeEach(async () => {
    await stand.empty();
    stand.pose.reset();
  });

  async function ask(method, path, { status, ...options } = {}) {
    const response = await fetch(`${stand.url}${path}`, { method, ...options });
    assert.equal(response.status, status, `${method} ${path}`);
    return assertAsDescribed(method, response);
  }

  async function upload(status, options) {
    const response = await post(stand.url, { headers: { Prefer: 'wait=20' }, ...options });
    assert.equal(response.status, status);
    return assertAsDescribed('POST', response);
  }

  const rename = (body) => ({ body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } });

  test('the whole way of a photo', async () => {
    const { links } = await upload(201);
    await upload(200);
    await ask('GET', links.self, { status: 200 });
    await ask('GET', '/api/analyses?limit=1', { status: 200 });
    await ask('GET', links.media, { status: 200 });
    await ask('GET', links.media, { status: 206, headers: { Range: 'bytes=0-1' } });
    await ask('GET', links.media, { status: 416, headers: { Range: 'bytes=9999-' } });
    await ask('GET', links.thumbnail, { status: 200 });
    await ask('GET', `${links.self}/picture`, { status: 404 });
    await ask('GET', links.events, { status: 200 });
    await ask('GET', links.events, { status: 204, headers: { 'Last-Event-ID': '99' } });
    await ask('GET', links.exportJson, { status: 200 });
    await ask('GET', links.exportCsv, { status: 200 });
    await ask('GET', `${links.self}/frames`, { status: 409 });
    await ask('PATCH', links.self, { status: 200, ...rename({ name: 'x' }) });
    await ask('POST', `${links.self}/retry`, { status: 409 });
    await ask('DELETE', links.self, { status: 204 });
    await ask('POST', `${links.self}/restore`, { status: 200 });
  });

  test('the copy of a photo that browsers cannot show', async () => {
    const { links } = await upload(201, { photo: makeClip(64, 'heic'), filename: 'a.heic' });
    await ask('GET', links.self, { status: 200 });
    await ask('GET', links.picture, { status: 200 });
  });

  test('the whole way of a clip', async () => {
    const { links } = await upload(201, { photo: makeClip(500), filename: 'a.mp4' });
    await ask('GET', links.self, { status: 200 });
    await ask('GET', `${links.frames}?limit=1`, { status: 200 });
    await ask('GET', `${links.self}/thumbnail`, { status: 404 });
  });

  test('a failure, and trying it again', async () => {
    stand.pose.answer = (_request, response) => sendJson(response, 422, { detail: 'no' });
    const { links } = await upload(201);
    await ask('GET', '/api/analyses?status=failed', { status: 200 });
    await ask('GET', links.exportCsv, { status: 409 });
    await ask('POST', `${links.self}/retry`, { status: 202 });
  });

  test('while it is worked on', async () => {
    stand.pose.answer = () => {};
    const { links } = await upload(201, { photo: uniquePhoto(), headers: {} });
    await until(async () => (await ask('GET', links.self, { status: 200 })).status === 'estimating');
    await ask('DELETE', links.self, { status: 204 });
  });

  test('refusals', async () => {
    await upload(413, { photo: makePhoto(4_000_000) });
    await upload(415, { photo: Buffer.from('hello') });
    await upload(400, { query: '?stance=left' });
    await ask('POST', '/api/analyses', { status: 415 });
    await ask('POST', '/api/analyses', { status: 403, headers: { 'Sec-Fetch-Site': 'cross-site' } });
    await ask('GET', '/api/analyses?limit=0', { status: 400 });
    await ask('GET', '/live', { status: 200 });
    await ask('GET', '/health', { status: 200 });
    for (const suffix of ['', '/media', '/thumbnail', '/picture', '/events', '/frames', '/export']) {
      await ask('GET', `/api/analyses/${NOBODY}${suffix}`, { status: 404 });
    }
    await ask('PATCH', `/api/analyses/${NOBODY}`, { status: 404, ...rename({ name: 'x' }) });
    await ask('PATCH', `/api/analyses/${NOBODY}`, { status: 415 });
    await ask('PATCH', `/api/analyses/${NOBODY}`, { status: 400, ...rename({}) });
  });
});
