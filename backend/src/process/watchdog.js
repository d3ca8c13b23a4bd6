import inspector from 'node:inspector';
import { Worker } from 'node:worker_threads';

// Rounds without a sign of life until the process ends.
const ROUNDS = 6;
const BEATS_PER_ROUND = 4;

/**
 * End this process when it no longer answers: nothing else restarts what is alive and deaf. A thread of
 * its own watches that the event loop here turns, and asks `/live`.
 *
 * @param {{port: number, deafMs: number}} limits  deafMs: silence that is too long; 0: nobody watches
 */
export function watchForDeafness({ port, deafMs }) {
  // A debugger stops the loop for as long as somebody reads.
  if (deafMs === 0 || inspector.url()) return;
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const roundMs = deafMs / ROUNDS;
  setInterval(() => Atomics.add(beats, 0, 1), roundMs / BEATS_PER_ROUND).unref();
  const thread = new Worker(new URL('./watchdog-thread.js', import.meta.url), {
    workerData: { beats, port, deafMs, roundMs, rounds: ROUNDS },
    // A fraction of what a thread may take by default.
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
    execArgv: [],
  });
  thread.unref();
}
