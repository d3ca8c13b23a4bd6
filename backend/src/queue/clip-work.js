import { ClipProgress } from './clip-progress.js';
import { LOST } from './lease.js';
import { persist } from './persist.js';

const BATCH_FRAMES = 50;
const BATCH_MS = 500;

/**
 * What is done about a clip: its frames are stored as they come, and how far it is.
 *
 * @param {object} job
 * @param {{media: import('../store/media-store.js').MediaStore, pose: import('../pose/pose-client.js').PoseClient,
 *   frames: import('../store/frames.js').Frames, queue: import('../store/job-queue.js').JobQueue}} services
 * @param {AbortSignal} signal
 * @returns {Promise<object>} the results that JobQueue.finish takes
 */
export async function workOnClip(job, { media, pose, frames, queue }, signal) {
  const { contentType, options, requestId } = job.file.metadata;
  const sent = { contentType, bytes: job.file.length, source: media.read(job.file) };
  const batch = new Batch(job, { frames, queue, signal });
  let summary = null;
  for await (const line of pose.estimateClip(sent, { ...options, requestId }, signal)) {
    if (line.summary) summary = line.summary;
    else await batch.add(line);
  }
  await batch.write();
  const progress = batch.progress.finish();
  return { summary, people: progress.people, progress };
}

/** Frames on their way to the database. */
class Batch {
  constructor(job, { frames, queue, signal }) {
    Object.assign(this, { job, frames, queue, signal });
    this.progress = new ClipProgress();
    this.lines = [];
    this.writtenAt = performance.now();
  }

  async add(line) {
    this.lines.push(line);
    this.progress.note(line);
    const isDue = performance.now() - this.writtenAt >= BATCH_MS;
    if (isDue || this.lines.length >= BATCH_FRAMES) await this.write();
  }

  async write() {
    if (this.lines.length > 0) {
      await persist(() => this.frames.write(this.job, this.lines), this.signal);
      this.lines = [];
    }
    this.writtenAt = performance.now();
    const isOurs = await persist(() => this.queue.report(this.job, this.progress.describe()), this.signal);
    if (!isOurs) throw LOST;
  }
}
