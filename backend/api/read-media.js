import contentDisposition from 'content-disposition';
import { Problem } from '../src/ground/problem.js';
import { sendPieces } from '../src/http/send-pieces.js';
import { findAnalysis } from './analysis-id.js';
import { describeUnchanging } from './unchanging.js';

/**
 * GET /api/analyses/:id/media: the photo or clip as it was sent, whole, in one range, or 304;
 * `?download=1` asks a browser to save it.
 */
export function readMedia({ analyses, media, logger }) {
  return async function handleMedia(request, response) {
    const file = await findAnalysis(request, analyses);
    describe(request, response, file);
    if (request.fresh) return response.status(304).end();
    // Ranges are defined for GET only (RFC 9110, 14.2).
    const range = request.method === 'GET' ? readRange(request, response, file.length) : null;
    const { start, end } = range ?? { start: 0, end: file.length };
    response.set('Content-Length', String(end - start));
    if (range) response.status(206).set('Content-Range', `bytes ${start}-${end - 1}/${file.length}`);
    if (request.method === 'HEAD') return response.end();
    await sendPieces(media.read(file, { start, end }), response, logger);
  };
}

function describe(request, response, file) {
  const { contentType, sha256 } = file.metadata;
  describeUnchanging(response, { contentType, version: sha256 ?? file._id.toHexString() });
  const type = request.query.download === '1' ? 'attachment' : 'inline';
  response.set({
    'Content-Disposition': contentDisposition(file.filename, { type }),
    'Accept-Ranges': 'bytes',
  });
}

function readRange(request, response, bytes) {
  const condition = request.get('If-Range');
  if (condition && condition !== response.get('ETag')) return null;
  // The last N bytes of less than N are all of them (RFC 9110, 14.1.2); the parser calls that no range.
  const suffix = /^bytes=-(\d+)$/i.exec(request.get('Range'));
  if (suffix && Number(suffix[1]) > bytes) return { start: 0, end: bytes };
  const ranges = request.range(bytes, { combine: true });
  if (ranges === -1) {
    const headers = { 'Content-Range': `bytes */${bytes}` };
    throw new Problem(416, `The media has ${bytes} bytes.`, { headers });
  }
  if (!Array.isArray(ranges) || ranges.type !== 'bytes' || ranges.length !== 1) return null;
  return { start: ranges[0].start, end: ranges[0].end + 1 };
}
