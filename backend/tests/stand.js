import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { createApplication } from '../src/application.js';
import { answerBrokenRequests } from '../src/http/broken-requests.js';
import { createServices, startServices } from '../src/services.js';
import { readSettings } from '../src/ground/settings.js';

/** Tests against MongoDB run where MONGO_URL names one; a MONGO_URL that does not answer is a failure. */
export const WITH_MONGO = {
  skip: process.env.MONGO_URL ? false : 'MONGO_URL names no MongoDB to test against',
};

export const ESTIMATE = {
  engine: 'mediapipe',
  device: 'cpu',
  image: { width: 1, height: 1 },
  milliseconds: 3.5,
  people: [{ box: [0, 0, 1, 1], score: 0.9, skeleton: 'blazepose33', keypoints: [], assumptions: [] }],
};

/** What a busy machine may add to a time that is promised: far less than what it would be without the promise. */
export const BUSY_SECONDS = 8;
const UNTIL_MS = 60_000;

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
  'base64',
);

/** A JPEG of 8 x 8 pixels, as the pose-service makes a copy of a photo. */
export const JPEG = Buffer.from(
  [
    '/9j/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBkeFxlZ2P/',
    '2wBDARESEhgVGC8aGi9jQjhCY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2P/wAAR',
    'CAAIAAgDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAX/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFQEBAQAAAAAA',
    'AAAAAAAAAAAABAb/xAAUEQEAAAAAAAAAAAAAAAAAAAAA/9oADAMBAAIRAxEAPwCgAniX/9k=',
  ].join(''),
  'base64',
);

/** A PNG of about so many bytes: readers stop at its end mark, so what follows only adds weight. */
export function makePhoto(bytes = PNG.length) {
  return Buffer.concat([PNG, Buffer.alloc(Math.max(0, bytes - PNG.length), 7)]);
}

/** A local HTTP server. @returns {Promise<{url: string, server: object, close: () => Promise<void>}>} */
export async function serve(listener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A test that failed before it could close the server must still end.
  server.unref();
  const close = async () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, server, close };
}

/** The smallest thing that is told to be a clip of some type, and so many bytes behind it. */
export function makeClip(bytes = 64, brand = 'isom') {
  const head = Buffer.concat([
    Buffer.from([0, 0, 0, 24]),
    Buffer.from(`ftyp${brand}\0\0\0\0mp42isom`, 'latin1'),
  ]);
  return Buffer.concat([head, Buffer.alloc(Math.max(0, bytes - head.length), 7)]);
}

/** A frame as the pose-service tells it, with so many people. */
export function makeFrame(index, people = 1, total = null) {
  const makePerson = (id) => ({
    id,
    box: [id, 1, 2, 3],
    score: 0.9,
    keypoints: [{ name: 'nose', x: 1, y: 2, confidence: 0.8 }],
    world: [{ x: 0, y: 0, z: 0 }],
    measures: {
      left_knee: { value: 90 + index, unit: 'degrees' },
      edge: { value: null, reason: 'not seen' },
    },
  });
  const list = Array.from({ length: people }, (_, id) => makePerson(id));
  return { index, time_seconds: index / 30, width: 64, height: 48, people: list, milliseconds: 5, total };
}

export const SUMMARY = { frames: 3, people: [{ id: 0 }] };

/** Answer as the pose-service does for a clip. */
export async function sendClip(
  response,
  { frames = 3, pauseMs = 0, people = 1, last = { summary: SUMMARY } } = {},
) {
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  for (let index = 0; index < frames && !response.destroyed; index += 1) {
    const total = { frames, seconds: frames / 30 };
    response.write(`${JSON.stringify(makeFrame(index, people, total))}\n`);
    if (pauseMs > 0) await sleep(pauseMs);
  }
  response.end(last ? `${JSON.stringify(last)}\n` : '');
}

/** A service that speaks the pose-service's contract; its answers may be replaced. */
export async function servePose() {
  const pose = { health: { status: 'ready', engine: 'mediapipe' }, received: [], requests: [] };
  pose.reset = () => {
    pose.answer = (_request, response) => sendJson(response, 200, ESTIMATE);
    pose.answerClip = (_request, response) => sendClip(response);
    pose.answerPicture = (_request, response) =>
      response.writeHead(200, { 'Content-Type': 'image/jpeg' }).end(JPEG);
  };
  pose.reset();
  const served = await serve(async (request, response) => {
    const url = new URL(request.url, 'http://pose');
    if (url.pathname === '/health') return sendJson(response, 200, pose.health);
    const isClip = url.pathname === '/pose/video';
    const form = await new Response(request, { headers: request.headers, duplex: 'half' })
      .formData()
      .catch(() => null);
    if (!form) return;
    pose.received.push(form.get(isClip ? 'video' : 'image'));
    pose.requests.push({
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
    });
    if (url.pathname === '/picture') return pose.answerPicture(request, response);
    return isClip ? pose.answerClip(request, response) : pose.answer(request, response);
  });
  return Object.assign(pose, served);
}

/** Answer with a JSON document. */
export function sendJson(response, status, body) {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

/**
 * The API in this process, over a database of its own that goes away with it.
 *
 * @param {object} env  settings that differ
 */
export async function startStand(env = {}) {
  const pose = await servePose();
  const settings = readSettings({
    MONGO_URL: process.env.MONGO_URL,
    MONGO_DATABASE: `test-${randomUUID()}`,
    POSE_URL: pose.url,
    MAX_UPLOAD_MB: '2',
    MAX_CLIP_MB: '3',
    // Longer than a busy machine pauses: work that is taken twice is another test's matter.
    LEASE_SECONDS: '30',
    ...env,
  });
  const services = createServices(settings, pino({ level: process.env.LOG || 'silent' }));
  const api = await serve(createApplication(services));
  answerBrokenRequests(api.server);
  const close = async () => {
    services.janitor.stop();
    await services.worker.stop();
    await Promise.all([pose.close(), api.close()]);
    await services.database.close();
  };
  const drop = async () => {
    await services.worker.stop();
    // Open servers would keep the test process alive when the database is not there.
    await services.database.db.dropDatabase().finally(close);
  };
  return { ...services, pose, url: api.url, server: api.server, close, drop };
}

/** The same with its database prepared and its worker at work. */
export async function startWorkingStand(env) {
  const stand = await startStand(env);
  await startServices(stand, AbortSignal.timeout(60_000));
  if (!stand.database.isReady) throw new Error('the database was not prepared within a minute');
  const empty = () =>
    Promise.all(
      ['files', 'chunks', 'frames', 'thumbnails', 'pictures'].map((name) =>
        stand.database[name].deleteMany({}),
      ),
    );
  return { ...stand, empty };
}

const ENTRY = fileURLToPath(new URL('../src/server.js', import.meta.url));

/**
 * The API as a process of its own on a free port.
 *
 * @param {object} env  settings that differ
 * @param {string[]} options  of node
 */
export async function startProcess(env, options = []) {
  const child = spawn(process.execPath, [...options, ENTRY], { env: { ...process.env, PORT: '0', ...env } });
  let log = '';
  child.stdout.on('data', (data) => (log += data));
  child.stderr.on('data', (data) => (log += data));
  const findPort = () => /"port":(\d+)/.exec(log)?.[1];
  const isThere = () => findPort() || child.exitCode !== null;
  await until(isThere, { what: 'the process' }).catch((error) => {
    // It would keep the test's own process alive.
    child.kill('SIGKILL');
    throw error;
  });
  return { child, url: `http://127.0.0.1:${findPort()}`, readLog: () => log };
}

/** Send a signal and wait. @returns {Promise<{code: number | null, seconds: number}>} */
export async function stopProcess(child, signal = 'SIGTERM') {
  const started = performance.now();
  const gone = once(child, 'exit');
  child.kill(signal);
  const [code] = await gone;
  return { code, seconds: (performance.now() - started) / 1000 };
}

/** POST media. @param {{photo?: Buffer, filename?: string, type?: string, headers?: object, query?: string}} options */
export function post(url, options = {}) {
  const { photo = makePhoto(), filename = 'photo.png', type = 'image/png', headers, query = '' } = options;
  const body = new FormData();
  body.set('media', new Blob([photo], { type }), filename);
  return fetch(`${url}/api/analyses${query}`, { method: 'POST', body, headers });
}

/** POST media and give the analysis once it is done or has failed. */
export async function analyse(url, options = {}) {
  const response = await post(url, { ...options, headers: { Prefer: 'wait=60', ...options.headers } });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  return response.json();
}

/** A photo that no other test has. */
export function uniquePhoto(bytes) {
  return Buffer.concat([makePhoto(bytes), Buffer.from(randomUUID())]);
}

/** Ask until the answer is true. @throws {Error} after a minute: only what never comes takes that long */
export async function until(isTrue, { what = 'the expected state' } = {}) {
  const deadline = performance.now() + UNTIL_MS;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${UNTIL_MS} ms`);
    await sleep(20);
  }
}

/** How many documents GridFS holds. @returns {Promise<{files: number, chunks: number}>} */
export async function countStored({ files, chunks }) {
  return { files: await files.countDocuments(), chunks: await chunks.countDocuments() };
}
