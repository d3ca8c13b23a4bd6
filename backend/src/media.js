import { fileTypeFromBuffer } from 'file-type';
import { Problem } from './problem.js';

const HEAD_BYTES = 4100;

/**
 * Tell what a stream holds from its first bytes; what the sender calls it is not trusted, because it
 * is later served under that type.
 *
 * @param {AsyncIterable<Buffer>} stream
 * @returns {Promise<{contentType: string, source: AsyncGenerator<Buffer>}>} source is the whole stream
 * @throws {Problem} 415 when it is no image
 */
export async function detectImage(stream) {
  const chunks = stream[Symbol.asyncIterator]();
  const head = await readHead(chunks);
  const contentType = (await fileTypeFromBuffer(head))?.mime;
  if (!contentType?.startsWith('image/')) {
    const found =
      head.length === 0 ? 'The file is empty' : `The file holds ${contentType ?? 'no known format'}`;
    throw new Problem(415, `${found}; send a photo, for example JPEG, PNG or WebP.`);
  }
  return { contentType, source: rejoin(head, chunks) };
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

/** A name to show: without control characters, at most 200 characters. */
export function cleanFilename(name) {
  // eslint-disable-next-line no-control-regex
  const printable = name.replace(/[\u0000-\u001f\u007f\u2028\u2029\u202a-\u202e]/g, '').trim();
  return [...printable].slice(0, 200).join('') || 'unnamed';
}
