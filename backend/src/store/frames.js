/** What a frame says of each of its people, beside who it is. */
export const FRAME_DETAILS = ['keypoints', 'world', 'measures', 'smoothed', 'assumptions', 'box', 'score'];

/**
 * Frames of clips, a document each: {_id: "RUN:INDEX", analysis, run, index, frame: the pose-service's line}.
 * A run is one attempt at an analysis; its frames count when the analysis names that run.
 */
export class Frames {
  /** @param {import('./database.js').Database} database */
  constructor({ frames }) {
    this.frames = frames;
  }

  /** Write frames of a run; writing the same ones again changes nothing. @param {object[]} lines */
  async write({ id, token }, lines) {
    const operations = lines.map((frame) => {
      const _id = `${token}:${frame.index}`;
      const replacement = { analysis: id, run: token, index: frame.index, frame };
      return { replaceOne: { filter: { _id }, replacement, upsert: true } };
    });
    // The journal is waited for when the result is written, and holds everything before it.
    await this.frames.bulkWrite(operations, { ordered: false, writeConcern: { w: 1 } });
  }

  /** How many frames an analysis has. @param {object} file  its document */
  async count(file) {
    return this.frames.countDocuments(ofRun(file));
  }

  /**
   * The frames of an analysis in order, as the pose-service sent them.
   *
   * @param {object} file  its document
   * @param {{from?: number, limit?: number, projection?: object}} page  limit 0: all
   * @returns {AsyncIterable<object>}
   */
  async *read(file, { from = 0, limit = 0, projection = { frame: 1 } } = {}) {
    const wanted = { ...ofRun(file), index: { $gte: from } };
    const cursor = this.frames.find(wanted, { projection, batchSize: 100 }).sort({ index: 1 }).limit(limit);
    for await (const { frame } of cursor) yield frame;
  }

  /** The measures that occur, with their units, by name. @returns {Promise<Map<string, string | null>>} */
  async readUnits(file) {
    const found = await this.frames
      .aggregate([
        { $match: ofRun(file) },
        { $unwind: '$frame.people' },
        { $project: { measures: { $objectToArray: '$frame.people.measures' } } },
        { $unwind: '$measures' },
        { $group: { _id: '$measures.k', unit: { $max: '$measures.v.unit' } } },
        { $sort: { _id: 1 } },
      ])
      .toArray();
    return new Map(found.map(({ _id, unit }) => [_id, unit]));
  }

  /** Remove what other attempts at an analysis left. @param {string | null} run  the one that counts */
  async removeOthers(id, run) {
    await this.frames.deleteMany({ analysis: id, run: { $ne: run } });
  }

  /** Remove frames whose analysis is gone. @returns {Promise<number>} of how many analyses */
  async removeOrphans() {
    const orphans = await this.frames
      .aggregate([
        { $group: { _id: '$analysis' } },
        { $lookup: { from: 'media.files', localField: '_id', foreignField: '_id', as: 'file' } },
        { $match: { file: [] } },
      ])
      .toArray();
    const ids = orphans.map(({ _id }) => _id);
    if (ids.length > 0) await this.frames.deleteMany({ analysis: { $in: ids } });
    return ids.length;
  }
}

function ofRun(file) {
  return { analysis: file._id, run: file.metadata.run ?? null };
}
