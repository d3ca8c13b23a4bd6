import { FINAL_STATES } from './analysis.js';
import { isDuplicate } from './database.js';
import { NAME_COLLATION } from './indexes.js';
import { FRESH_JOB } from './job-queue.js';
import { moveTo, NEXT_REVISION, NOW, set, unset } from './transition.js';

const WITHOUT_RESULTS = { 'metadata.pose': 0, 'metadata.summary': 0 };
const LIVE = { 'metadata.isDeleted': false };

/** Analyses in MongoDB, as a person handles them: find, list, rename, delete, bring back. */
export class Analyses {
  /** @param {import('./database.js').Database} database */
  constructor({ files, frames, thumbnails, pictures, chunks }) {
    Object.assign(this, { files, frames, thumbnails, pictures, chunks });
  }

  /** @returns {Promise<object | null>} the file document, with its results if asked for */
  async find(id, { withResults = false } = {}) {
    return this.files.findOne({ _id: id, ...LIVE }, withResults ? {} : { projection: WITHOUT_RESULTS });
  }

  /** The one of these media and options. @returns {Promise<object | null>} */
  async findSame(sha256, stance) {
    const same = { 'metadata.sha256': sha256, 'metadata.options.stance': stance, ...LIVE };
    return this.files.findOne(same, { projection: WITHOUT_RESULTS });
  }

  /**
   * File documents without results, and how many the filter lets through.
   *
   * @param {{filter: object, after: object, sort: object, limit: number}} page  after: where it begins
   * @returns {Promise<{files: object[], total: number}>}
   */
  async list({ filter, after, sort, limit }) {
    const options = { collation: NAME_COLLATION };
    const [files, total] = await Promise.all([
      this.files
        .find({ $and: [LIVE, filter, after] }, { projection: WITHOUT_RESULTS, ...options })
        .sort(sort)
        .limit(limit)
        .toArray(),
      this.files.countDocuments({ $and: [LIVE, filter] }, options),
    ]);
    return { files, total };
  }

  /** @returns {Promise<object | null>} the whole document */
  async rename(id, name) {
    const change = { $set: { 'metadata.name': name } };
    return this.files.findOneAndUpdate({ _id: id, ...LIVE }, change, { returnDocument: 'after' });
  }

  /** Into the queue again, once it has failed. @returns {Promise<object | null>} null when it has not */
  async retry(id) {
    const pipeline = [
      moveTo('received', { job: FRESH_JOB, progress: null }),
      unset('error', 'run', 'attempts'),
    ];
    const failed = { _id: id, 'metadata.status': 'failed', ...LIVE };
    return this.files.findOneAndUpdate(failed, pipeline, { returnDocument: 'after' });
  }

  /** Hide an analysis and end its work. @returns {Promise<object | null>} the document, null if there is none */
  async remove(id) {
    const pipeline = [set({ isDeleted: true, deletedAt: NOW, revision: NEXT_REVISION }), unset('job')];
    return this.files.findOneAndUpdate({ _id: id, ...LIVE }, pipeline, {
      returnDocument: 'after',
      projection: WITHOUT_RESULTS,
    });
  }

  /**
   * Bring a deleted analysis back; what was not finished goes into the queue again.
   *
   * @returns {Promise<object | null>} the document; null when there is none (any more)
   * @throws {SameFileError} when the same file was uploaded again meanwhile
   */
  async restore(id) {
    const isOpen = { $not: [{ $in: ['$metadata.status', FINAL_STATES] }] };
    const restored = {
      isDeleted: false,
      revision: NEXT_REVISION,
      job: { $cond: [isOpen, FRESH_JOB, '$$REMOVE'] },
    };
    // What is being purged has lost its name already.
    const deleted = { _id: id, 'metadata.isDeleted': true, 'metadata.isPurged': { $ne: true } };
    try {
      await this.files.updateOne(deleted, [set(restored), unset('deletedAt')]);
    } catch (error) {
      throw isDuplicate(error) ? new SameFileError() : error;
    }
    return this.find(id, { withResults: true });
  }

  /**
   * Remove what was deleted so long ago, with its media, frames and small pictures. The document goes last:
   * a purge that is cut off is repeated.
   *
   * @returns {Promise<number>} how many
   */
  async purge(undoMs) {
    const isOver = { $lte: ['$metadata.deletedAt', { $subtract: [NOW, undoMs] }] };
    const over = { 'metadata.deletedAt': { $exists: true }, $expr: isOver };
    await this.files.updateMany(over, { $set: { 'metadata.isPurged': true } });
    const purged = { 'metadata.deletedAt': { $exists: true }, 'metadata.isPurged': true };
    const ids = (await this.files.find(purged, { projection: { _id: 1 } }).toArray()).map(({ _id }) => _id);
    for (const id of ids) await this.erase(id);
    return ids.length;
  }

  async erase(id) {
    await this.frames.deleteMany({ analysis: id });
    await this.thumbnails.deleteOne({ _id: id });
    await this.pictures.deleteOne({ _id: id });
    await this.chunks.deleteMany({ files_id: id });
    await this.files.deleteOne({ _id: id });
  }
}

/** The same file is here a second time. */
export class SameFileError extends Error {}
