import { pipeline } from 'node:stream/promises';
import contentDisposition from 'content-disposition';
import { Problem } from '../src/problem.js';
import { findAnalysis } from './analysis-id.js';

/** GET /api/analyses/:id/media: the photo as it was sent, whole, in one range, or 304. */
export function readMedia({ storage, logger }) {
  return async function handleMedia(request, response) {
    const file = await findAnalysis(request, storage);
    describe(response, file);
    if (request.fresh) return response.status(304).end();
    const range = readRange(request, response, file.length);
    const { start, end } = range ?? { start: 0, end: file.length };
    response.set('Content-Length', String(end - start));
    if (range) response.status(206).set('Content-Range', `bytes ${start}-${end - 1}/${file.length}`);
    if (request.method === 'HEAD') return response.end();
    await send(storage.read(file._id, { start, end }), response, logger);
  };
}

function describe(response, file) {
  response.set({
    'Content-Type': file.metadata.contentType,
    'Content-Disposition': contentDisposition(file.filename, { type: 'inline' }),
    // An analysis never changes its media, so its id is the version.
    ETag: `"${file._id.toHexString()}"`,
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'private, no-cache',
    // Media come from strangers: whatever they hold, they run nothing.
    'Content-Security-Policy': "default-src 'none'; sandbox",
  });
}

function readRange(request, response, bytes) {
  const condition = request.get('If-Range');
  if (condition && condition !== response.get('ETag')) return null;
  const ranges = request.range(bytes, { combine: true });
  if (ranges === -1) {
    const headers = { 'Content-Range': `bytes */${bytes}` };
    throw new Problem(416, `The media has ${bytes} bytes.`, { headers });
  }
  if (!Array.isArray(ranges) || ranges.type !== 'bytes' || ranges.length !== 1) return null;
  return { start: ranges[0].start, end: ranges[0].end + 1 };
}

async function send(media, response, logger) {
  try {
    await pipeline(media, response);
  } catch (error) {
    // A viewer that goes away is everyday life.
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE')
      logger.error({ cause: error.message }, 'media cut short');
  }
}
