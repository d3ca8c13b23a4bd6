import { fileTypeFromBuffer } from 'file-type';
import { Problem } from './problem.js';

const HEAD_BYTES = 4100;
export const PHOTOS = 'JPEG, PNG, GIF, WebP, AVIF, BMP or TIFF';
export const CLIPS = 'MP4, MOV or WebM';

/** What the bytes are -> what it is kept and served as. These are the formats that the pose-service reads. */
const TYPES = {
  'image/jpeg': { kind: 'photo', contentType: 'image/jpeg' },
  'image/png': { kind: 'photo', contentType: 'image/png' },
  'image/apng': { kind: 'photo', contentType: 'image/png' },
  'image/gif': { kind: 'photo', contentType: 'image/gif' },
  'image/webp': { kind: 'photo', contentType: 'image/webp' },
  'image/avif': { kind: 'photo', contentType: 'image/avif' },
  'image/bmp': { kind: 'photo', contentType: 'image/bmp' },
  'image/tiff': { kind: 'photo', contentType: 'image/tiff' },
  'video/mp4': { kind: 'clip', contentType: 'video/mp4' },
  'video/x-m4v': { kind: 'clip', contentType: 'video/mp4' },
  'video/quicktime': { kind: 'clip', contentType: 'video/quicktime' },
  'video/webm': { kind: 'clip', contentType: 'video/webm' },
};

/** What media are kept and served as. */
export const MEDIA_TYPES = [...new Set(Object.values(TYPES).map(({ contentType }) => contentType))];

/**
 * Tell what a stream holds from its first bytes; what the sender calls it is not trusted, because it
 * is later served under that type.
 *
 * @param {AsyncIterable<Buffer>} stream
 * @returns {Promise<{contentType: string, kind: 'photo' | 'clip', source: AsyncGenerator<Buffer>}>} source
 *   is the whole stream
 * @throws {Problem} 415 when it is neither a photo nor a clip
 */
export async function detectMedia(stream) {
  const chunks = stream[Symbol.asyncIterator]();
  const head = await readHead(chunks);
  const found = (await fileTypeFromBuffer(head))?.mime;
  const type = TYPES[found];
  if (!type) throw refuse(head, found);
  return { ...type, source: rejoin(head, chunks) };
}

function refuse(head, found) {
  const what = head.length === 0 ? 'The file is empty' : `The file holds ${found ?? 'no known format'}`;
  return new Problem(415, `${what}; send a photo (${PHOTOS}) or a clip (${CLIPS}).`);
}

async function readHead(chunks) {
  let head = Buffer.alloc(0);
  while (head.length < HEAD_BYTES) {
    const { value, done } = await chunks.next();
    if (done) break;
    head = Buffer.concat([head, value]);
  }
  return head;
}

async function* rejoin(head, chunks) {
  yield head;
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
}

/** A name to show: without control characters, at most 200 characters; empty when nothing is left. */
export function cleanName(name) {
  // eslint-disable-next-line no-control-regex
  const printable = name.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '');
  return [...printable.trim()].slice(0, 200).join('');
}
