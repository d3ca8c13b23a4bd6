import { findFormat, HEAD_BYTES, listFormats, nameRefused } from './media-formats.js';
import { Problem } from '../ground/problem.js';

/**
 * Tell what a stream holds from its first bytes; what the sender calls it is not trusted, because it
 * is later served under that type.
 *
 * @param {AsyncIterable<Buffer>} stream
 * @returns {Promise<{contentType: string, kind: 'photo' | 'clip', needsCopy: boolean, source:
 *   AsyncGenerator<Buffer>}>} needsCopy: most browsers cannot show it; source is the whole stream
 * @throws {Problem} 415 when it is neither a photo nor a clip
 */
export async function detectMedia(stream) {
  const chunks = stream[Symbol.asyncIterator]();
  const head = await readHead(chunks);
  const format = findFormat(head);
  if (!format) throw refuse(head);
  const { kind, contentType, needsCopy } = format;
  return { kind, contentType, needsCopy, source: rejoin(head, chunks) };
}

function refuse(head) {
  const found = nameRefused(head) ?? 'no known format';
  const what = head.length === 0 ? 'The file is empty' : `The file holds ${found}`;
  const wanted = `send a photo (${listFormats('photo')}) or a clip (${listFormats('clip')})`;
  return new Problem(415, `${what}; ${wanted}.`);
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

// Zero-width and other characters that nobody sees; inside a name they join letters and emoji.
const UNSEEN_ONLY = /^[\p{Default_Ignorable_Code_Point}\p{White_Space}]*$/u;

/** A name to show: without control characters, at most 200 characters; empty when nothing to see is left. */
export function cleanName(name) {
  // eslint-disable-next-line no-control-regex
  const printable = name.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '');
  return UNSEEN_ONLY.test(printable) ? '' : [...printable.trim()].slice(0, 200).join('');
}
