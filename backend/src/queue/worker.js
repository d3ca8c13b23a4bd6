import { setTimeout as sleep } from 'node:timers/promises';
import { KINDS } from '../store/analysis.js';
import { JobRun } from './job-run.js';
import { Lease, LOST, STOPPED } from './lease.js';
import { PosePresence } from './pose-presence.js';

const IDLE_MS = 500;

/** Takes jobs from the queue and does them, a few at a time. */
export class Worker {
  /** @param {object} services  queue, media, frames, thumbnails, pictures, pose, settings, logger */
  constructor(services) {
    const presence = new PosePresence(services);
    this.services = { ...services, presence };
    Object.assign(this, { presence, queue: services.queue, logger: services.logger });
    this.places = services.settings.poseConcurrency;
    this.running = new Map();
    this.stopping = new AbortController();
    this.wake = () => {};
  }

  /** Work until stopped. */
  start() {
    this.loop = this.run();
  }

  /** There may be new work: look at once. */
  kick() {
    this.wake();
  }

  /** End the work on an analysis that is in this process. @param {import('mongodb').ObjectId} id */
  cancel(id) {
    for (const run of this.running.values()) if (run.id.equals(id)) run.lease.end(LOST);
  }

  /** Put back what runs. @returns {Promise<void>} when that is recorded */
  async stop() {
    this.stopping.abort(STOPPED);
    this.wake();
    for (const { lease } of this.running.values()) lease.end(STOPPED);
    await this.loop;
    await Promise.allSettled([...this.running.values()].map(({ done }) => done));
  }

  async run() {
    while (!this.stopping.signal.aborted) {
      const job = await this.claim();
      if (job) this.begin(job);
      else await this.rest();
    }
  }

  async claim() {
    const kinds = this.freeKinds();
    try {
      if (kinds.length === 0 || !(await this.presence.isThere())) return null;
      return await this.queue.claim(kinds);
    } catch (error) {
      this.logger.warn({ cause: error.message }, 'queue cannot be read');
      return null;
    }
  }

  // A place is kept for photos: they take a moment, clips take minutes.
  freeKinds() {
    const clips = [...this.running.values()].filter(({ kind }) => kind === 'clip').length;
    if (this.running.size >= this.places) return [];
    return clips >= Math.max(1, this.places - 1) ? ['photo'] : KINDS;
  }

  async rest() {
    const woken = new Promise((resolve) => (this.wake = resolve));
    await Promise.race([woken, sleep(IDLE_MS, undefined, { ref: false })]);
  }

  begin(job) {
    const { queue, logger } = this;
    const lease = new Lease({ queue, job, logger });
    const done = this.follow(job, lease);
    // By its token: after a long loss of the database the same analysis may be claimed again here.
    this.running.set(job.token, { id: job.id, kind: job.file.metadata.kind, lease, done });
    // Claimed while the worker was being stopped.
    if (this.stopping.signal.aborted) lease.end(STOPPED);
  }

  async follow(job, lease) {
    const started = performance.now();
    const run = new JobRun(job, this.services, { lease, stopSignal: this.stopping.signal });
    const outcome = await run.work().catch((error) => ({ outcome: 'unrecorded', cause: error.message }));
    lease.letGo();
    this.running.delete(job.token);
    const { kind, requestId } = job.file.metadata;
    const milliseconds = Math.round(performance.now() - started);
    this.logger.info(
      { id: job.id, kind, requestId, attempt: job.attempts, milliseconds, ...outcome },
      'work',
    );
    this.wake();
  }
}
