import { Binary } from 'mongodb';

export const PICTURE_TYPE = 'image/jpeg';

/** JPEG copies of photos that browsers cannot show: {_id: the analysis, data}. */
export class Pictures {
  /** @param {import('../store/database.js').Database} database */
  constructor({ pictures }) {
    this.pictures = pictures;
  }

  /** @param {Buffer} jpeg  the pose-service makes them smaller than a document may be (16 MB) */
  async keep(id, jpeg) {
    await this.pictures.replaceOne({ _id: id }, { data: new Binary(jpeg) }, { upsert: true });
  }

  /** @returns {Promise<Buffer | null>} */
  async read(id) {
    const found = await this.pictures.findOne({ _id: id });
    return found && Buffer.from(found.data.buffer);
  }
}
