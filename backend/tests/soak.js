// npm run soak -- 5000: so many analyses through one process of the API and a real MongoDB (MONGO_URL), and
// what that does to its memory. A pose-service that answers at once stands in for the real one.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { Database } from '../src/store/database.js';
import { makeClip, makeFrame, post, sendClip, sendJson, servePose, until } from './stand.js';

const COUNT = Number(process.argv[2] ?? 5000);
const PEOPLE = 4;
const CLIP_EVERY = 20;
const ENTRY = fileURLToPath(new URL('../src/server.js', import.meta.url));

const noise = { width: 1280, height: 960, channels: 3, noise: { type: 'gaussian', mean: 128, sigma: 40 } };
const picture = await sharp({ create: { ...noise, background: '#888' } })
  .jpeg()
  .toBuffer();
const mongoDatabase = `soak-${randomUUID()}`;
const database = new Database({ mongoUrl: process.env.MONGO_URL, mongoDatabase });
const pose = await servePose();
const keypoints = Array.from({ length: 33 }, (_, i) => ({ name: `point_${i}`, x: i, y: i, confidence: 0.9 }));
const people = makeFrame(0).people.map((person) => ({ ...person, keypoints }));
pose.answer = (_request, response) => sendJson(response, 200, { people });
pose.answerClip = (_request, response) => sendClip(response, { frames: 60 });

const env = { PORT: '0', POSE_URL: pose.url, MONGO_DATABASE: mongoDatabase, LOG_LEVEL: 'info' };
const limits = { UPLOADS_PER_MINUTE: '0', REQUESTS_PER_MINUTE: '0' };
const api = spawn(process.execPath, [ENTRY], { env: { ...process.env, ...env, ...limits } });
let log = '';
api.stdout.on('data', (data) => (log = (log + data).slice(-2000)));
api.stderr.pipe(process.stderr);
await until(() => log.includes('database ready'), { what: 'the API' });
const url = `http://127.0.0.1:${/"port":(\d+)/.exec(log)[1]}`;

async function readMegabytes(name) {
  const status = await readFile(`/proc/${api.pid}/status`, 'utf8');
  return Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]) / 1024);
}

let next = 0;
async function uploadOn() {
  while (next < COUNT) {
    next += 1;
    const number = next;
    const tail = Buffer.from(randomUUID());
    const isClip = number % CLIP_EVERY === 0;
    const media = isClip ? Buffer.concat([makeClip(200_000), tail]) : Buffer.concat([picture, tail]);
    const response = await post(url, { photo: media, headers: { Prefer: 'wait=60' } });
    const { id, status } = await response.json();
    if (response.status !== 201 || status !== 'done')
      throw new Error(`${number}: ${response.status} ${status}`);
    await (await fetch(`${url}/api/analyses/${id}/media`)).arrayBuffer();
    if (number % Math.ceil(COUNT / 20) === 0) console.log(`${number} ${await readMegabytes('VmRSS')} MB`);
  }
}

const started = performance.now();
try {
  await Promise.all(Array.from({ length: PEOPLE }, uploadOn));
  const done = await database.files.countDocuments({ 'metadata.status': 'done' });
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(`${done} of ${COUNT} done in ${seconds} s, at most ${await readMegabytes('VmHWM')} MB`);
  process.exitCode = done === COUNT ? 0 : 1;
} finally {
  api.kill('SIGKILL');
  await database.db.dropDatabase();
  await database.close();
  await pose.close();
}
