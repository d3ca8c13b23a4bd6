import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, beforeEach, describe, test } from 'node:test';
import { PoseClient } from '../src/pose/pose-client.js';
import { REMEDIES } from '../src/pose/pose-failure.js';
import { ESTIMATE, makeClip, makePhoto, sendClip, sendJson, serve, servePose, SUMMARY } from './stand.js';

const NEVER = new AbortController().signal;
// Long enough for the pauses of a busy machine.
const STALL_MS = 1500;
const OPTIONS = { stance: 'goofy', requestId: 'abc' };

describe('pose client', () => {
  let pose;
  let client;
  before(async () => {
    pose = await servePose();
    client = new PoseClient({ poseUrl: pose.url, poseTimeoutMs: STALL_MS, poseStallMs: STALL_MS });
  });
  after(() => pose.close());
  beforeEach(() => pose.reset());

  const send = (bytes, contentType) => ({ contentType, bytes: bytes.length, source: Readable.from([bytes]) });
  const estimate = (signal = NEVER) => client.estimate(send(makePhoto(), 'image/png'), OPTIONS, signal);
  async function estimateClip(signal = NEVER) {
    const lines = [];
    for await (const line of client.estimateClip(send(makeClip(), 'video/mp4'), OPTIONS, signal))
      lines.push(line);
    return lines;
  }

  test('sends the photo as field image with its type, stance and request id, and gives the answer back', async () => {
    assert.deepEqual(await estimate(), ESTIMATE);
    const sent = pose.received.at(-1);
    assert.equal(sent.type, 'image/png');
    assert.deepEqual(Buffer.from(await sent.arrayBuffer()), makePhoto());
    const { query, headers } = pose.requests.at(-1);
    assert.deepEqual([query.stance, headers['x-request-id']], ['goofy', 'abc']);
  });

  test('sends a clip as field video, and gives its lines as they come', async () => {
    const lines = await estimateClip();
    assert.deepEqual(
      lines.map(({ index, summary }) => index ?? summary),
      [0, 1, 2, SUMMARY],
    );
    assert.deepEqual(Buffer.from(await pose.received.at(-1).arrayBuffer()), makeClip());
  });

  test('media that cannot be read are not blamed on the pose-service', async () => {
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    async function* breakOff() {
      yield makePhoto();
      throw reset;
    }
    const media = { contentType: 'image/png', bytes: 10_000, source: breakOff() };
    await assert.rejects(client.estimate(media, OPTIONS, NEVER), reset);
  });

  for (const status of [400, 413, 415, 422]) {
    test(`${status} is about the file: passed on as it is, and never repeated`, async () => {
      const problem = { type: 'about:blank', title: 'No', status, detail: 'The image is cut off.' };
      pose.answer = (_request, response) => sendJson(response, status, problem);
      await assert.rejects(estimate(), (error) => {
        assert.deepEqual([error.toJSON(), error.remedy], [problem, REMEDIES.giveUp]);
        return true;
      });
    });
  }

  const type = (kind) => `urn:pose-service:problem:${kind}`;
  for (const [name, status, body, expected, remedy] of [
    ['starting', 503, { status: 'starting', reason: 'loading the model' }, 503, 'wait'],
    ['busy', 503, { type: type('busy'), detail: 'full' }, 503, 'wait'],
    ['no room', 503, { type: type('no-room'), detail: 'the disk is full' }, 503, 'wait'],
    ['too many requests', 429, {}, 503, 'wait'],
    ['a lost engine', 503, { type: type('engine-lost'), detail: 'it crashed' }, 502, 'repeat'],
    ['too slow', 504, { type: type('deadline') }, 502, 'repeat'],
    ['broken', 500, { detail: 'out of memory' }, 502, 'repeat'],
    ['another service', 404, { error: 'no such page' }, 502, 'repeat'],
    ['an answer without people', 200, { ok: true }, 502, 'repeat'],
  ]) {
    test(`${name} (${status}) becomes ${expected}: ${remedy}`, async () => {
      pose.answer = (_request, response) => sendJson(response, status, body);
      await assert.rejects(estimate(), { name: 'Problem', status: expected, remedy: REMEDIES[remedy] });
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
    // A timer may fire a little early.
    assert.ok(waitedMs >= STALL_MS - 10, `waited ${waitedMs} ms`);
  });

  test('an answer that stalls half-way becomes 504 too', async () => {
    pose.answer = (_request, response) => response.writeHead(200).write('{"people":');
    await assert.rejects(estimate(), { status: 504 });
  });

  test('a clip may take longer than the timeout as long as its frames come', async () => {
    const frames = 10;
    pose.answerClip = (_request, response) => sendClip(response, { frames, pauseMs: STALL_MS / 5 });
    assert.equal((await estimateClip()).length, frames + 1);
    pose.answerClip = (_request, response) => sendClip(response, { frames: 2, pauseMs: STALL_MS * 2 });
    await assert.rejects(estimateClip(), { status: 504, remedy: REMEDIES.repeat });
  });

  test('lines that end without a summary are no answer, and are repeated', async () => {
    pose.answerClip = (_request, response) => sendClip(response, { last: null });
    await assert.rejects(estimateClip(), { status: 502, remedy: REMEDIES.repeat });
    pose.answerClip = (_request, response) =>
      response.writeHead(200).write('{"index":0}\n', () => response.destroy());
    await assert.rejects(estimateClip(), { status: 502, remedy: REMEDIES.repeat });
    pose.answerClip = (_request, response) => response.writeHead(200).end('{"index":0}\nnonsense\n');
    await assert.rejects(estimateClip(), { status: 502, remedy: REMEDIES.repeat });
  });

  for (const [status, kind, remedy] of [
    [422, 'unreadable-video', 'giveUp'],
    [503, 'engine-lost', 'repeat'],
  ]) {
    test(`a problem in the middle of a clip (${kind}) is told: ${remedy}`, async () => {
      const last = { problem: { type: type(kind), title: 'No', status, detail: 'It broke.' } };
      pose.answerClip = (_request, response) => sendClip(response, { last });
      await assert.rejects(
        estimateClip(),
        (error) => /It broke/.test(error.message) && error.remedy === REMEDIES[remedy],
      );
    });
  }

  test('the caller can end the call with a reason of its own', async () => {
    pose.answer = () => {};
    const reason = new Error('enough');
    const stop = new AbortController();
    setTimeout(() => stop.abort(reason), 50);
    await assert.rejects(estimate(stop.signal), reason);
  });

  test('nobody there is waited for, and the reason is named', async () => {
    const gone = await serve(() => {});
    await gone.close();
    const lonely = new PoseClient({ poseUrl: gone.url, poseTimeoutMs: 1000, poseStallMs: 1000 });
    await assert.rejects(lonely.estimate(send(makePhoto(), 'image/png'), OPTIONS, NEVER), (error) => {
      assert.deepEqual([error.status, error.remedy], [502, REMEDIES.wait]);
      assert.match(error.message, /ECONNREFUSED/);
      return true;
    });
  });
});
