import { randomUUID } from 'node:crypto';
import { fromNow, literal, moveTo, NEXT_REVISION, NOW, set, unset } from './transition.js';

const NEVER_STARTED = { framesDone: 0, framesTotal: null, people: 0, elapsedSeconds: 0, etaSeconds: null };
// The longest that a job is put off (Retry-After counts to 60 s) or held (LEASE_SECONDS).
const LONGEST_DELAY_MS = 60_000;
const LONGEST_LEASE_MS = 600_000;
const WITHOUT_RESULTS = { 'metadata.pose': 0, 'metadata.summary': 0 };

const LONGEST_MS = { $cond: [{ $eq: ['$metadata.job.token', null] }, LONGEST_DELAY_MS, LONGEST_LEASE_MS] };
/** What is due later than anything is put off was dated by another clock, or by this one before it was set back. */
const IS_DUE = {
  $or: [
    { $lte: ['$metadata.job.dueAt', NOW] },
    { $gt: ['$metadata.job.dueAt', { $add: [NOW, LONGEST_MS] }] },
  ],
};

/**
 * The queue: every analysis with a `metadata.job` has work to do, from `job.dueAt` on. Who claims it
 * puts a token of its own there and moves dueAt into the future; as long as it keeps doing so nobody
 * else can claim it, and only the holder of the token can write what came of it. A holder that is
 * killed is followed by another one when dueAt has passed.
 */
export class JobQueue {
  /** @param {import('./database.js').Database} database @param {{leaseMs: number}} settings */
  constructor({ files }, { leaseMs }) {
    this.files = files;
    this.leaseMs = leaseMs;
  }

  /**
   * Take the job that has waited longest.
   *
   * @param {string[]} kinds  of media
   * @returns {Promise<{id: import('mongodb').ObjectId, token: string, attempts: number, file: object} | null>}
   */
  async claim(kinds) {
    const token = randomUUID();
    const file = await this.files.findOneAndUpdate(
      {
        'metadata.job.dueAt': { $exists: true },
        'metadata.kind': { $in: kinds },
        $expr: IS_DUE,
      },
      [
        moveTo('estimating', {
          run: token,
          'job.token': token,
          'job.dueAt': fromNow(this.leaseMs),
          'job.attempts': { $add: ['$metadata.job.attempts', 1] },
          progress: describe(NEVER_STARTED, null),
        }),
      ],
      { sort: { 'metadata.job.dueAt': 1 }, returnDocument: 'after', projection: WITHOUT_RESULTS },
    );
    return file && { id: file._id, token, attempts: file.metadata.job.attempts, file };
  }

  /** Keep a job a while longer. @returns {Promise<boolean>} false when it is somebody else's by now */
  async extend(job) {
    return this.write(job, [set({ 'job.dueAt': fromNow(this.leaseMs) })]);
  }

  /** The same, and tell how far it is. @param {object} progress  as of NEVER_STARTED */
  async report(job, progress) {
    const fields = { 'job.dueAt': fromNow(this.leaseMs), progress: describe(progress, null) };
    return this.write(job, [set({ ...fields, revision: NEXT_REVISION })]);
  }

  /** The work is done. @param {object} results  pose or summary, people, progress, hasThumbnail */
  async finish(job, { progress, ...results }) {
    const values = Object.entries(results).map(([name, value]) => [name, literal(value)]);
    const fields = { ...Object.fromEntries(values), attempts: job.attempts };
    if (progress) fields.progress = describe(progress, null);
    const over = progress ? ['job', 'error'] : ['job', 'error', 'progress'];
    return this.write(job, [moveTo('done', fields), unset(...over)]);
  }

  /** The work cannot be done. @param {{toJSON: () => object}} problem  why */
  async fail(job, problem) {
    const fields = { error: literal(problem.toJSON()), attempts: job.attempts };
    return this.write(job, [moveTo('failed', fields), unset('job')]);
  }

  /**
   * Put a job back for later.
   *
   * @param {{reason: string, delayMs: number, isAttempt: boolean}} why  isAttempt: it counts as one
   */
  async release(job, { reason, delayMs, isAttempt }) {
    const fields = {
      'job.token': null,
      'job.dueAt': fromNow(delayMs),
      'job.attempts': isAttempt ? job.attempts : job.attempts - 1,
      progress: describe(NEVER_STARTED, reason),
    };
    return this.write(job, [moveTo('received', fields)]);
  }

  /** Fail everything that waits, because nothing can do it. @returns {Promise<number>} how many */
  async failWaiting(problem) {
    const fields = { error: literal(problem.toJSON()), attempts: '$metadata.job.attempts' };
    const { modifiedCount } = await this.files.updateMany(
      { 'metadata.job.dueAt': { $exists: true }, $expr: IS_DUE },
      [moveTo('failed', fields), unset('job')],
    );
    return modifiedCount;
  }

  /** @returns {Promise<{waiting: number, running: number}>} */
  async count() {
    const [waiting, running] = await Promise.all([
      this.files.countDocuments({ 'metadata.job.dueAt': { $exists: true }, 'metadata.job.token': null }),
      this.files.countDocuments({
        'metadata.job.dueAt': { $exists: true },
        'metadata.job.token': { $ne: null },
      }),
    ]);
    return { waiting, running };
  }

  async write({ id, token }, pipeline) {
    const { matchedCount } = await this.files.updateOne(
      { _id: id, 'metadata.job.token': token, 'metadata.isDeleted': false },
      pipeline,
    );
    return matchedCount === 1;
  }
}

/** A fresh place in the queue, as a value of `metadata.job`. */
export const FRESH_JOB = { attempts: 0, token: null, dueAt: NOW };

function describe(progress, waitingFor) {
  return { ...progress, waitingFor: literal(waitingFor), at: NOW, revision: NEXT_REVISION };
}
