import multer from 'multer';
import { createMetadata } from '../store/analysis.js';
import { cleanName, detectMedia } from '../media/media.js';
import { Problem } from '../ground/problem.js';

const FIELD = 'media';
const MB = 1024 * 1024;
// What a form may add around the file: boundaries, part headers, a few fields.
const FORM_OVERHEAD_BYTES = 64 * 1024;

/**
 * Read the one photo or clip of a multipart form straight into storage.
 *
 * @param {import('express').Request} request
 * @param {import('express').Response} response
 * @param {{media: import('../store/media-store.js').MediaStore, settings: object, stance: string}} target
 * @returns {Promise<import('mongodb').ObjectId>} id of the new analysis
 * @throws {Problem} 400 missing or malformed, 413 too large, 415 no form or no media; nothing is kept then
 * @throws {import('../store/media-store.js').DuplicateMedia}
 */
export async function receiveMedia(request, response, target) {
  const limits = { photo: target.settings.maxPhotoBytes, clip: target.settings.maxClipBytes };
  refuseEarly(request, Math.max(...Object.values(limits)));
  const engine = new StorageEngine({ ...target, limits, requestId: request.id });
  const receive = multer({
    storage: engine,
    defParamCharset: 'utf8',
    limits: { files: 1, fields: 0 },
  }).single(FIELD);
  await new Promise((resolve, reject) => {
    receive(request, response, (error) => (error ? reject(explain(error, engine)) : resolve()));
  });
  if (!request.file) throw new Problem(400, `The form holds no file in a field named "${FIELD}".`);
  // Not before the whole form is here: who sends the same file meanwhile may not be given an analysis that is dropped.
  return target.media.accept(request.file.upload);
}

function refuseEarly(request, maxBytes) {
  if (!request.is('multipart/form-data')) {
    throw new Problem(415, `Send the photo or clip as multipart/form-data, in a field named "${FIELD}".`, {
      headers: { Accept: 'multipart/form-data' },
    });
  }
  if (Number(request.get('Content-Length')) > maxBytes + FORM_OVERHEAD_BYTES) {
    throw new Problem(413, `The file is larger than ${maxBytes / MB} MB.`);
  }
}

function explain(error, engine) {
  if (error === engine.failure) return error;
  if (['LIMIT_UNEXPECTED_FILE', 'LIMIT_FILE_COUNT', 'LIMIT_FIELD_COUNT'].includes(error.code)) {
    return new Problem(400, `The form holds one file in a field named "${FIELD}", and nothing else.`, {
      cause: error,
    });
  }
  return new Problem(400, `The form cannot be read: ${error.message}.`, { cause: error });
}

/** multer's storage engine interface over our storage; `failure` is what went wrong on our side. */
class StorageEngine {
  constructor({ media, limits, stance, requestId }) {
    Object.assign(this, { media, limits, stance, requestId });
    this.failure = null;
  }

  _handleFile(_request, file, done) {
    this.store(file).then(
      (upload) => done(null, { upload }),
      (error) => {
        this.failure = error;
        done(error);
      },
    );
  }

  // The form goes wrong behind its file.
  _removeFile(_request, file, done) {
    this.media.drop(file.upload).then(() => done(null), done);
  }

  async store({ stream, originalname }) {
    const { source, ...format } = await detectMedia(stream);
    const filename = cleanName(originalname) || 'unnamed';
    const { stance, requestId } = this;
    const metadata = createMetadata({ ...format, name: filename, stance, requestId });
    return this.media.receive(limit(source, format.kind, this.limits[format.kind]), { filename, metadata });
  }
}

async function* limit(source, kind, maxBytes) {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Problem(413, `The ${kind} is larger than ${maxBytes / MB} MB.`);
    yield chunk;
  }
}
