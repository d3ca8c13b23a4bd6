import { once } from 'node:events';
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { createApplication } from '../src/application.js';
import { createServices } from '../src/services.js';
import { readSettings } from '../src/settings.js';

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

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
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

/** A service that speaks the pose-service's contract; `pose.answer` may be replaced by a test. */
export async function servePose() {
  const pose = { answer: (_request, response) => sendJson(response, 200, ESTIMATE), received: [] };
  const served = await serve(async (request, response) => {
    if (request.url === '/health') return sendJson(response, 200, { status: 'ready', engine: 'mediapipe' });
    const form = await new Response(request, { headers: request.headers, duplex: 'half' }).formData();
    pose.received.push(form.get('image'));
    return pose.answer(request, response);
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
    ...env,
  });
  const services = createServices(settings, pino({ level: 'silent' }));
  const api = await serve(createApplication(services));
  const close = async () => {
    await services.estimator.stop();
    await Promise.all([pose.close(), api.close()]);
    await services.storage.close();
  };
  const drop = async () => {
    // Open servers would keep the test process alive when the database is not there.
    await services.storage.database.dropDatabase().finally(close);
  };
  return { ...services, pose, url: api.url, server: api.server, close, drop };
}

/** POST a photo. @param {{photo?: Buffer, filename?: string, type?: string, headers?: object}} options */
export function post(url, { photo = makePhoto(), filename = 'photo.png', type = 'image/png', headers } = {}) {
  const body = new FormData();
  body.set('media', new Blob([photo], { type }), filename);
  return fetch(`${url}/api/analyses`, { method: 'POST', body, headers });
}

/** Ask until the answer is true. @throws {Error} after the deadline */
export async function until(isTrue, { timeoutMs = 5000, what = 'the expected state' } = {}) {
  const deadline = performance.now() + timeoutMs;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${timeoutMs} ms`);
    await sleep(20);
  }
}

/** How many documents GridFS holds. @returns {Promise<{files: number, chunks: number}>} */
export async function countStored({ files, chunks }) {
  return { files: await files.countDocuments(), chunks: await chunks.countDocuments() };
}
