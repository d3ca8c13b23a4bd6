import { Binary } from 'mongodb';
import { requireMemory } from './picture-memory.js';

const SIDE_PIXELS = 320;
// The pose-service refuses larger photos, so there is nothing to show of them.
const MAX_PIXELS = 50_000_000;
export const THUMBNAIL_TYPE = 'image/webp';

/** Small pictures of photos: {_id: the analysis, data}. */
export class Thumbnails {
  /** @param {import('../store/database.js').Database} database */
  constructor({ thumbnails }) {
    this.thumbnails = thumbnails;
    this.last = Promise.resolve();
  }

  /**
   * Make and keep the thumbnail of a picture. One at a time: the memory of a decoder is the largest part
   * of this process.
   *
   * @param {() => Promise<Buffer>} read  the picture, which is large too
   * @throws {Error} when it cannot be decoded, or not with little enough memory
   */
  async make(id, read) {
    const data = await this.takeTurn(async () => shrink(await read()));
    await this.thumbnails.replaceOne({ _id: id }, { data: new Binary(data) }, { upsert: true });
  }

  /** @returns {Promise<Buffer | null>} */
  async read(id) {
    const found = await this.thumbnails.findOne({ _id: id });
    return found && Buffer.from(found.data.buffer);
  }

  takeTurn(work) {
    const done = this.last.then(work);
    this.last = done.catch(() => {});
    return done;
  }
}

/** A picture as WebP, upright, at most 320 pixels long. @returns {Promise<Buffer>} */
export async function shrink(picture) {
  const sharp = await loadSharp();
  const image = sharp(picture, { limitInputPixels: MAX_PIXELS, sequentialRead: true, failOn: 'error' });
  requireMemory(await image.metadata());
  return image
    .rotate()
    .resize(SIDE_PIXELS, SIDE_PIXELS, { fit: 'inside', withoutEnlargement: true })
    .webp({ quality: 75 })
    .toBuffer();
}

// 30 MB that a process without work never needs.
async function loadSharp() {
  const { default: sharp } = await import('sharp');
  sharp.cache(false);
  sharp.concurrency(1);
  return sharp;
}
