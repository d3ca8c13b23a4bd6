import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { PoseClient } from '../src/pose-client.js';
import { ESTIMATE, makePhoto, sendJson, serve, servePose } from './stand.js';

const NEVER = new AbortController().signal;

describe('pose client', () => {
  let pose;
  let client;
  before(async () => {
    pose = await servePose();
    client = new PoseClient({ poseUrl: pose.url, poseTimeoutMs: 300 });
  });
  after(() => pose.close());

  const estimate = (signal = NEVER) =>
    client.estimate(new Blob([makePhoto()], { type: 'image/png' }), signal);

  test('sends the photo as field image with its type and gives the answer back', async () => {
    pose.answer = (_request, response) => sendJson(response, 200, ESTIMATE);
    assert.deepEqual(await estimate(), ESTIMATE);
    const sent = pose.received.at(-1);
    assert.equal(sent.type, 'image/png');
    assert.deepEqual(Buffer.from(await sent.arrayBuffer()), makePhoto());
  });

  for (const status of [400, 413, 415, 422]) {
    test(`${status} is about the image and passed on as it is`, async () => {
      const problem = { type: 'about:blank', title: 'No', status, detail: 'The image is cut off.' };
      pose.answer = (_request, response) => sendJson(response, status, problem);
      await assert.rejects(estimate(), (error) => {
        assert.deepEqual(error.toJSON(), problem);
        return true;
      });
    });
  }

  for (const [name, status, body, expected] of [
    ['starting', 503, { status: 'starting', reason: 'loading the model' }, 503],
    ['broken', 500, { detail: 'out of memory' }, 502],
    ['another service', 404, { error: 'no such page' }, 502],
    ['an answer without people', 200, { ok: true }, 502],
  ]) {
    test(`${name} (${status}) becomes ${expected}`, async () => {
      pose.answer = (_request, response) => sendJson(response, status, body);
      await assert.rejects(estimate(), { name: 'Problem', status: expected });
    });
  }

  test('an answer that is no JSON becomes 502', async () => {
    pose.answer = (_request, response) => response.end('<html>');
    await assert.rejects(estimate(), { status: 502 });
  });

  test('silence becomes 504 after the timeout', async () => {
    pose.answer = () => {};
    const started = performance.now();
    await assert.rejects(estimate(), { status: 504 });
    const waitedMs = performance.now() - started;
    assert.ok(waitedMs >= 290 && waitedMs < 2000, `waited ${waitedMs} ms`);
  });

  test('an answer that stalls half-way becomes 504 too', async () => {
    pose.answer = (_request, response) => response.writeHead(200).write('{"people":');
    await assert.rejects(estimate(), { status: 504 });
  });

  test('the caller can end the call with a reason of its own', async () => {
    pose.answer = () => {};
    const reason = new Error('enough');
    const stop = new AbortController();
    setTimeout(() => stop.abort(reason), 50);
    await assert.rejects(estimate(stop.signal), reason);
  });

  test('nobody there becomes 502 and names the reason', async () => {
    const gone = await serve(() => {});
    await gone.close();
    const lonely = new PoseClient({ poseUrl: gone.url, poseTimeoutMs: 1000 });
    await assert.rejects(lonely.estimate(new Blob([makePhoto()]), NEVER), (error) => {
      assert.equal(error.status, 502);
      assert.match(error.message, /ECONNREFUSED/);
      return true;
    });
  });
});
