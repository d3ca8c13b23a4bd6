import { blob } from 'node:stream/consumers';
import pLimit from 'p-limit';
import { Problem, toProblem } from './problem.js';
import { isDatabaseDown } from './database.js';

/** What an analysis is told that a stopping process could not finish. */
export const INTERRUPTED = new Problem(
  503,
  'The API stopped before the estimate was done; send the photo again.',
  {
    headers: { 'Retry-After': '5' },
  },
);

/** Takes stored analyses through their estimate, a few at a time: each holds its media in memory. */
export class Estimator {
  constructor({ storage, pose, progress, logger, concurrency }) {
    Object.assign(this, { storage, pose, progress, logger });
    this.limit = pLimit(concurrency);
    this.stopping = new AbortController();
    this.running = new Set();
  }

  /**
   * Estimate and record the result.
   *
   * @param {import('mongodb').ObjectId} id
   * @returns {Promise<object>} the finished file document
   * @throws {Problem} of the pose client; 404 when it was deleted meanwhile
   */
  run(id) {
    const run = this.limit(() => this.estimate(id)).finally(() => this.running.delete(run));
    this.running.add(run);
    return run;
  }

  /** The same with nobody waiting: a failure becomes the analysis's own state. */
  start(id) {
    const run = this.run(id)
      .catch((error) => this.fail(id, error))
      .catch((error) => this.logger.error({ id, cause: error.message }, 'failure not recorded'))
      .finally(() => this.running.delete(run));
    this.running.add(run);
  }

  /** End the running estimates. @returns {Promise<void>} when their ends are recorded */
  async stop() {
    this.stopping.abort(INTERRUPTED);
    while (this.running.size > 0) await Promise.allSettled(this.running);
  }

  async estimate(id) {
    this.stopping.signal.throwIfAborted();
    const file = await this.advance(id, 'estimating');
    const media = new Blob([await blob(this.storage.read(id))], { type: file.metadata.contentType });
    const pose = await this.pose.estimate(media, this.stopping.signal);
    return this.advance(id, 'done', { pose, people: pose.people.length });
  }

  async fail(id, error) {
    const problem = toProblem(error, isDatabaseDown);
    this.logger.warn({ id, status: problem.status, detail: problem.message }, 'estimate failed');
    const file = await this.storage.advance(id, 'failed', { error: problem.toJSON() });
    if (file) this.progress.report(file);
  }

  async advance(id, status, facts) {
    const file = await this.storage.advance(id, status, facts);
    if (!file) throw new Problem(404, 'The analysis was deleted before its estimate was done.');
    this.progress.report(file);
    return file;
  }
}
