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
   * Store media as a new analysis; the document that makes it one is written last, to the journal.
   *
   * @param {AsyncIterable<Buffer>} source  a source that fails leaves nothing behind
   * @param {{filename: string, metadata: object}} media  metadata as of createMetadata; sha256 is added
   * @returns {Promise<ObjectId>}
   * @throws {DuplicateMedia} nothing is kept then
   */
  async add(source, { filename, metadata }) {
    const upload = this.bucket.openUploadStream(filename, { metadata, chunkSizeBytes: CHUNK_BYTES });
    // The callback that is waited for hears of the same error.
    upload.on('error', () => {});
    try {
      metadata.sha256 = await writeAll(source, upload);
    } catch (error) {
      await upload.abort().catch(() => {});
      throw error;
    }
    await this.accept(upload, metadata.sha256);
    return upload.id;
  }

  async accept(upload, sha256) {
    try {
      await promisify((done) => upload.end(done))();
    } catch (error) {
      // When the server went away it may have written the document: then the chunks are needed. If it
      // has not, the sweep finds them.
      if (!isDatabaseDown(error)) await this.database.chunks.deleteMany({ files_id: upload.id });
      throw isDuplicate(error) ? new DuplicateMedia(sha256) : error;
    }
  }

  /** @returns {import('node:stream').Readable} the media, or bytes start..end of it (end left out) */
  read(id, range = {}) {
    return this.bucket.openDownloadStream(id, range);
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
