import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { GridFSBucket, ObjectId } from 'mongodb';
import { isDatabaseDown, isDuplicate } from './database.js';

// Older chunks without a file belong to an upload that died; an upload ends sooner (UPLOAD_SECONDS).
const ORPHAN_AGE_SECONDS = 3600;
// Each chunk waits for the journal: larger ones than the usual 255 KB wait less often.
const CHUNK_BYTES = 1024 * 1024;

/** The same media were stored before. */
export class DuplicateMedia extends Error {
  /** @param {string} sha256  of the media, in hexadecimal digits */
  constructor(sha256) {
    super(`media ${sha256} are here already`);
    this.name = 'DuplicateMedia';
    this.sha256 = sha256;
  }
}

/** Media in GridFS. */
export class MediaStore {
  /** @param {import('./database.js').Database} database */
  constructor(database) {
    this.database = database;
    this.bucket = new GridFSBucket(database.db, { bucketName: 'media' });
  }

  /**
   * Store the bytes of media; until `accept` they are no analysis, and nobody sees them.
   *
   * @param {AsyncIterable<Buffer>} source  a source that fails leaves nothing behind
   * @param {{filename: string, metadata: object}} media  metadata as of createMetadata; sha256 is added
   * @returns {Promise<import('mongodb').GridFSBucketWriteStream>} for `accept` or `drop`
   */
  async receive(source, { filename, metadata }) {
    const upload = this.bucket.openUploadStream(filename, { metadata, chunkSizeBytes: CHUNK_BYTES });
    // The callback that is waited for hears of the same error.
    upload.on('error', () => {});
    try {
      metadata.sha256 = await writeAll(source, upload);
    } catch (error) {
      await this.drop(upload);
      throw error;
    }
    return upload;
  }

  /**
   * Make received media a new analysis: the document that makes it one is written last, to the journal.
   *
   * @returns {Promise<ObjectId>}
   * @throws {DuplicateMedia} nothing is kept then
   */
  async accept(upload) {
    try {
      await promisify((done) => upload.end(done))();
      return upload.id;
    } catch (error) {
      // When the server went away it may have written the document: then the chunks are needed. If it
      // has not, the sweep finds them.
      if (!isDatabaseDown(error)) await this.database.chunks.deleteMany({ files_id: upload.id });
      throw isDuplicate(error) ? new DuplicateMedia(upload.options.metadata.sha256) : error;
    }
  }

  /** Forget received media; what cannot be removed now is left to the sweep. */
  async drop(upload) {
    await upload.abort().catch(() => {});
  }

  /**
   * The media, or bytes start..end of them (end left out). A question for each piece: a slow reader holds one of them
   * and no cursor (the driver's own reader holds 16 MB), and one that the server did not answer is asked again.
   *
   * @param {{_id: ObjectId, length: number, chunkSize: number}} file
   * @returns {AsyncGenerator<Buffer>}
   */
  async *read({ _id, length, chunkSize }, { start = 0, end = length } = {}) {
    for (let n = Math.floor(start / chunkSize); n * chunkSize < end; n += 1) {
      const chunk = await this.database.chunks.findOne({ files_id: _id, n }, { promoteBuffers: true });
      const first = n * chunkSize;
      if (chunk?.data.length !== Math.min(chunkSize, length - first)) {
        throw new Error(`piece ${n} of the media ${_id} is not there`);
      }
      yield chunk.data.subarray(Math.max(0, start - first), end - first);
    }
  }

  /** Delete chunks whose upload never ended. @returns {Promise<number>} of how many uploads */
  async removeOrphans() {
    const youngest = ObjectId.createFromTime(Math.floor(Date.now() / 1000) - ORPHAN_AGE_SECONDS);
    const orphans = await this.database.chunks
      .aggregate([
        { $match: { files_id: { $lt: youngest }, n: 0 } },
        { $lookup: { from: 'media.files', localField: 'files_id', foreignField: '_id', as: 'file' } },
        { $match: { file: [] } },
        { $project: { files_id: 1 } },
      ])
      .toArray();
    const ids = orphans.map(({ files_id }) => files_id);
    if (ids.length > 0) await this.database.chunks.deleteMany({ files_id: { $in: ids } });
    return ids.length;
  }
}

// Not stream.pipeline: it would destroy the upload while a chunk is still on its way to the server,
// and that chunk would outlive the clean-up.
async function writeAll(source, upload) {
  const hash = createHash('sha256');
  const write = promisify((chunk, done) => upload.write(chunk, done));
  for await (const chunk of source) {
    hash.update(chunk);
    await write(chunk);
  }
  return hash.digest('hex');
}
