import { writeSync } from 'node:fs';
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';

const STDOUT = 1;
const { beats, port, deafMs, roundMs, rounds } = workerData;
// Counted and not timed: a machine that sleeps stops both threads, and both go on.
const silent = { loop: 0, requests: 0 };

for (;;) {
  const before = Atomics.load(beats, 0);
  ask();
  await sleep(roundMs);
  silent.loop = Atomics.load(beats, 0) === before ? silent.loop + 1 : 0;
  silent.requests += 1;
  if (silent.loop >= rounds) end('the event loop stands still');
  // A round more: the first question needs its time too.
  if (silent.requests > rounds) end('its own requests are not answered');
}

// Each round asks anew, and an answer to an old question is one, too: a crowd makes it slow, not deaf.
function ask() {
  const options = { host: '127.0.0.1', port, path: '/live', agent: false, timeout: deafMs };
  const request = get(options, (response) => {
    response.resume();
    if (response.statusCode === 200) silent.requests = 0;
  });
  request.on('timeout', () => request.destroy());
  request.on('error', () => {});
}

function end(reason) {
  const line = { level: 'fatal', time: new Date().toISOString(), reason, seconds: deafMs / 1000 };
  try {
    writeSync(STDOUT, `${JSON.stringify({ ...line, msg: 'the API is deaf and ends' })}\n`);
  } catch {
    // Nobody reads the log.
  }
  // The only way that needs nothing of the other thread. What it worked on is repeated by the next process.
  process.kill(process.pid, 'SIGKILL');
}
