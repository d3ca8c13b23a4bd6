import { promisify } from 'node:util';
import { GridFSBucket, ObjectId } from 'mongodb';
import { FINAL_STATES } from './analysis.js';

const BUCKET = 'media';
const WITHOUT_POSE = { 'metadata.pose': 0 };
const ORPHAN_AGE_SECONDS = 3600;

/** Analyses in MongoDB: see analysis.js for the document. One API process a database. */
export class Storage {
  constructor(client, databaseName) {
    this.client = client;
    this.startedAt = new Date();
    this.database = client.db(databaseName);
    this.bucket = new GridFSBucket(this.database, { bucketName: BUCKET });
    this.files = this.database.collection(`${BUCKET}.files`);
    this.chunks = this.database.collection(`${BUCKET}.chunks`);
  }

  /** Round trip to the server with our credentials. @returns {Promise<void>} */
  async ping() {
    await this.database.command({ ping: 1 });
  }

  /**
   * What a process does once the database is there: the index that GridFS reads by, and an end for
   * everything that an earlier process left unfinished.
   *
   * @param {object} problem  problem details for analyses that were cut off
   * @returns {Promise<{interrupted: number, orphans: number}>} how many were found
   */
  async prepare(problem) {
    await this.chunks.createIndex({ files_id: 1, n: 1 }, { unique: true });
    const { modifiedCount } = await this.files.updateMany(
      { 'metadata.status': { $nin: FINAL_STATES }, uploadDate: { $lt: this.startedAt } },
      transition('failed', { error: problem }),
    );
    return { interrupted: modifiedCount, orphans: await this.removeOrphans() };
  }

  /** Delete chunks whose upload never ended; younger ones may belong to an upload still running. */
  async removeOrphans() {
    const youngest = ObjectId.createFromTime(Math.floor(Date.now() / 1000) - ORPHAN_AGE_SECONDS);
    const orphans = await this.chunks
      .aggregate([
        { $match: { files_id: { $lt: youngest } } },
        { $group: { _id: '$files_id' } },
        { $lookup: { from: `${BUCKET}.files`, localField: '_id', foreignField: '_id', as: 'file' } },
        { $match: { file: [] } },
      ])
      .toArray();
    await this.chunks.deleteMany({ files_id: { $in: orphans.map(({ _id }) => _id) } });
    return orphans.length;
  }

  /**
   * Store media as a new analysis in state received. A source that fails leaves nothing behind.
   *
   * @param {AsyncIterable<Buffer>} source
   * @param {{filename: string, contentType: string}} media
   * @returns {Promise<ObjectId>}
   */
  async add(source, { filename, contentType }) {
    const history = [{ status: 'received', at: new Date() }];
    const upload = this.bucket.openUploadStream(filename, {
      metadata: { contentType, status: 'received', history },
    });
    // The callback that is waited for hears of the same error.
    upload.on('error', () => {});
    try {
      await writeAll(source, upload);
    } catch (error) {
      await upload.abort().catch(() => {});
      throw error;
    }
    return upload.id;
  }

  /** @returns {Promise<object | null>} the file document, with its pose if asked for */
  async find(id, { withPose = false } = {}) {
    return this.files.findOne({ _id: id }, withPose ? {} : { projection: WITHOUT_POSE });
  }

  /** File documents without poses, newest first, older than `before` where given. */
  async list({ limit, before }) {
    const older = before ? { _id: { $lt: before } } : {};
    return this.files.find(older, { projection: WITHOUT_POSE }).sort({ _id: -1 }).limit(limit).toArray();
  }

  /** @returns {Promise<number>} how many analyses there are */
  async count() {
    return this.files.estimatedDocumentCount();
  }

  /** @returns {import('node:stream').Readable} the media, or bytes start..end of it (end left out) */
  read(id, range = {}) {
    return this.bucket.openDownloadStream(id, range);
  }

  /**
   * Move an analysis on. @returns {Promise<object | null>} the new document, null if it was deleted
   */
  async advance(id, status, facts = {}) {
    return this.files.findOneAndUpdate({ _id: id }, transition(status, facts), { returnDocument: 'after' });
  }

  /** Delete an analysis and its media. @returns {Promise<boolean>} was there one? */
  async remove(id) {
    const { deletedCount } = await this.files.deleteOne({ _id: id });
    await this.chunks.deleteMany({ files_id: id });
    return deletedCount === 1;
  }

  /** End all connections; nothing can be asked afterwards. */
  async close() {
    await this.client.close();
  }
}

function transition(status, facts) {
  const set = Object.fromEntries(Object.entries(facts).map(([key, value]) => [`metadata.${key}`, value]));
  return {
    $set: { 'metadata.status': status, ...set },
    $push: { 'metadata.history': { status, at: new Date() } },
  };
}

// Not stream.pipeline: it would destroy the upload while a chunk is still on its way to the server,
// and that chunk would outlive the clean-up.
async function writeAll(source, upload) {
  const write = promisify((chunk, done) => upload.write(chunk, done));
  for await (const chunk of source) await write(chunk);
  await promisify((done) => upload.end(done))();
}
