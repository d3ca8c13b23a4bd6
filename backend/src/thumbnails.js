import { Binary } from 'mongodb';

const SIDE_PIXELS = 320;
// The pose-service refuses larger photos, so there is nothing to show of them.
const MAX_PIXELS = 50_000_000;
export const THUMBNAIL_TYPE = 'image/webp';

/** Small pictures of photos: {_id: the analysis, data}. */
export class Thumbnails {
  /** @param {import('./database.js').Database} database */
  constructor({ thumbnails }) {
    this.thumbnails = thumbnails;
  }

  /** Make and keep the thumbnail of a picture. @throws {Error} when it cannot be decoded */
  async make(id, picture) {
    const data = await shrink(picture);
    await this.thumbnails.replaceOne({ _id: id }, { data: new Binary(data) }, { upsert: true });
  }

  /** @returns {Promise<Buffer | null>} */
  async read(id) {
    const found = await this.thumbnails.findOne({ _id: id });
    return found && Buffer.from(found.data.buffer);
  }
}

/** A picture as WebP, upright, at most 320 pixels long. @returns {Promise<Buffer>} */
export async function shrink(picture) {
  const sharp = await loadSharp();
  return sharp(picture, { limitInputPixels: MAX_PIXELS, sequentialRead: true, failOn: 'error' })
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
