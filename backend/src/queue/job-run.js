import { workOnClip } from './clip-work.js';
import { describeOutage, isDatabaseDown } from '../store/database.js';
import { LOST, STOPPED } from './lease.js';
import { persist } from './persist.js';
import { workOnPhoto } from './photo-work.js';
import { PoseFailure, REMEDIES } from '../pose/pose-failure.js';
import { Problem, toProblem } from '../ground/problem.js';

const BACKOFF_MS = [1000, 5000, 15_000];
const WORK = { photo: workOnPhoto, clip: workOnClip };

/** One attempt at an analysis, and what is recorded of it. */
export class JobRun {
  /**
   * @param {object} job  claimed
   * @param {object} services  as of createServices, with `presence`
   * @param {{lease: import('./lease.js').Lease, stopSignal: AbortSignal}} ends  what can end it early
   */
  constructor(job, services, { lease, stopSignal }) {
    Object.assign(this, { job, services, lease, stopSignal });
    this.queue = services.queue;
    this.maxAttempts = services.settings.maxAttempts;
  }

  /** @returns {Promise<{outcome: 'done' | 'failed' | 'put back' | 'lost', cause?: string}>} */
  async work() {
    if (this.job.attempts > this.maxAttempts) return this.fail(this.refuse());
    try {
      const results = await WORK[this.job.file.metadata.kind](this.job, this.services, this.lease.signal);
      return await this.record('done', () => this.queue.finish(this.job, results));
    } catch (error) {
      return this.handle(error);
    }
  }

  refuse() {
    const detail = `The work was cut off ${this.maxAttempts} times, by this file or by something else; try again.`;
    return new Problem(500, detail);
  }

  handle(error) {
    if (error === LOST) return { outcome: 'lost' };
    if (error === STOPPED) return this.putBack(error, { delayMs: 0, isAttempt: false });
    if (isDatabaseDown(error)) return this.putBack(error, { delayMs: BACKOFF_MS[0], isAttempt: false });
    const remedy = error instanceof PoseFailure ? error.remedy : REMEDIES.repeat;
    if (remedy === REMEDIES.wait) return this.wait(error);
    if (remedy === REMEDIES.giveUp || this.job.attempts >= this.maxAttempts) return this.fail(error);
    const delayMs = BACKOFF_MS[Math.min(this.job.attempts, BACKOFF_MS.length) - 1];
    return this.putBack(error, { delayMs, isAttempt: true });
  }

  wait(error) {
    const delayMs = error.status === 503 ? error.retrySeconds * 1000 : BACKOFF_MS[0];
    this.services.presence.noteRefusal(delayMs);
    return this.putBack(error, { delayMs, isAttempt: false });
  }

  fail(error) {
    const problem = toProblem(error, describeOutage);
    if (problem !== error) this.services.logger.error({ id: this.job.id, stack: error.stack }, 'work broke');
    return this.record('failed', () => this.queue.fail(this.job, problem), error.message);
  }

  putBack(error, { delayMs, isAttempt }) {
    const why = { reason: error.message, delayMs, isAttempt };
    return this.record('put back', () => this.queue.release(this.job, why), error.message);
  }

  // The lease may be over; what came of the work is still ours to write while the token is.
  async record(outcome, write, cause) {
    const isWritten = await persist(write, this.stopSignal);
    if (isWritten) await this.services.frames.removeOthers(this.job.id, this.job.token).catch(() => {});
    return { outcome: isWritten ? outcome : 'lost', ...(cause && { cause }) };
  }
}
