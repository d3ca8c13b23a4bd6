import contentDisposition from 'content-disposition';
import { toCsv } from '../src/export/csv-export.js';
import { toJson } from '../src/export/json-export.js';
import { Problem } from '../src/ground/problem.js';
import { sendPieces } from '../src/http/send-pieces.js';
import { findAnalysis } from './analysis-id.js';
import { readChoice } from './query.js';

const FORMATS = {
  json: { contentType: 'application/json', write: toJson },
  csv: { contentType: 'text/csv; charset=utf-8', write: toCsv },
};

/** GET /api/analyses/:id/export?format=json|csv: everything that was found, as a file; 409 until it is done. */
export function exportAnalysis({ analyses, frames, logger }) {
  return async function handleExport(request, response) {
    const format = readChoice(request.query, 'format', Object.keys(FORMATS), 'json');
    const file = await findAnalysis(request, analyses, { withResults: true });
    if (file.metadata.status !== 'done') {
      throw new Problem(
        409,
        `Only a finished analysis can be exported; this one is ${file.metadata.status}.`,
      );
    }
    const { contentType, write } = FORMATS[format];
    const name = `${file.metadata.name.replace(/\.[A-Za-z0-9]{1,5}$/, '')}.${format}`;
    response.set({
      'Content-Type': contentType,
      'Content-Disposition': contentDisposition(name),
      'Cache-Control': 'no-cache',
    });
    if (request.method === 'HEAD') return response.end();
    await sendPieces(await write(file, frames), response, logger);
  };
}
