/** node crowd.js URL CLIENTS SECONDS: so many clients that ask again and again; sends {statuses, details, medianMs}. */
import { Agent, get } from 'node:http';

const [url, clients, seconds] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
const end = performance.now() + Number(seconds) * 1000;
const statuses = {};
const details = new Set();
const milliseconds = [];

function ask() {
  const started = performance.now();
  return new Promise((resolve) => {
    const request = get(url, { agent }, async (response) => {
      const body = (await response.toArray()).join('');
      statuses[response.statusCode] = (statuses[response.statusCode] ?? 0) + 1;
      if (response.statusCode >= 400) details.add(JSON.parse(body).detail);
      milliseconds.push(performance.now() - started);
      resolve();
    });
    request.on('error', (error) => {
      statuses[error.code] = (statuses[error.code] ?? 0) + 1;
      resolve();
    });
  });
}

async function keepAsking() {
  while (performance.now() < end) await ask();
}

await Promise.all(Array.from({ length: Number(clients) }, keepAsking));
milliseconds.sort((a, b) => a - b);
const medianMs = milliseconds[Math.floor(milliseconds.length / 2)];
process.send({ statuses, details: [...details], medianMs });
process.disconnect();
agent.destroy();
