import multer from 'multer';
import { cleanFilename, detectImage } from './media.js';
import { Problem } from './problem.js';

const FIELD = 'media';
// What a form may add around the file: boundaries, part headers, a few fields.
const FORM_OVERHEAD_BYTES = 64 * 1024;

/**
 * Read the one photo of a multipart form straight into storage.
 *
 * @param {import('express').Request} request
 * @param {import('express').Response} response
 * @param {{storage: import('./storage.js').Storage, maxBytes: number}} target
 * @returns {Promise<import('mongodb').ObjectId>} id of the new analysis
 * @throws {Problem} 400 missing or malformed, 413 too large, 415 no form or no image; nothing is kept then
 */
export async function receiveMedia(request, response, { storage, maxBytes }) {
  refuseEarly(request, maxBytes);
  const engine = new StorageEngine(storage, maxBytes);
  const receive = multer({
    storage: engine,
    defParamCharset: 'utf8',
    limits: { fileSize: maxBytes, files: 1, fields: 16, parts: 17, fieldSize: 1024 },
  }).single(FIELD);
  await new Promise((resolve, reject) => {
    receive(request, response, (error) => (error ? reject(explain(error, engine, maxBytes)) : resolve()));
  });
  if (!request.file) throw new Problem(400, `The form holds no file in a field named "${FIELD}".`);
  return request.file.id;
}

function refuseEarly(request, maxBytes) {
  if (!request.is('multipart/form-data')) {
    throw new Problem(415, `Send the photo as multipart/form-data, in a field named "${FIELD}".`, {
      headers: { Accept: 'multipart/form-data' },
    });
  }
  if (Number(request.get('Content-Length')) > maxBytes + FORM_OVERHEAD_BYTES) throw tooLarge(maxBytes);
}

function tooLarge(maxBytes) {
  return new Problem(413, `The file is larger than ${maxBytes / 1024 / 1024} MB.`);
}

function explain(error, engine, maxBytes) {
  if (error === engine.failure) return error;
  if (error.code === 'LIMIT_FILE_SIZE') return tooLarge(maxBytes);
  if (error.code === 'LIMIT_UNEXPECTED_FILE') {
    return new Problem(400, `Only one file is taken, in a field named "${FIELD}".`, { cause: error });
  }
  return new Problem(400, `The form cannot be read: ${error.message}.`, { cause: error });
}

/** multer's storage engine interface over our storage; `failure` is what went wrong on our side. */
class StorageEngine {
  constructor(storage, maxBytes) {
    this.storage = storage;
    this.maxBytes = maxBytes;
    this.failure = null;
  }

  _handleFile(_request, file, done) {
    this.store(file).then(
      (id) => done(null, { id }),
      (error) => {
        this.failure = error;
        done(error);
      },
    );
  }

  _removeFile(_request, file, done) {
    this.storage.remove(file.id).then(() => done(null), done);
  }

  async store({ stream, originalname }) {
    const { contentType, source } = await detectImage(stream);
    const complete = refuseTruncated(source, stream, this.maxBytes);
    return this.storage.add(complete, { filename: cleanFilename(originalname), contentType });
  }
}

// At its limit the parser ends the stream as if the file were complete.
async function* refuseTruncated(source, stream, maxBytes) {
  yield* source;
  if (stream.truncated) throw tooLarge(maxBytes);
}
