import { SameFileError } from '../src/store/analyses.js';
import { toAnalysis } from '../src/store/analysis.js';
import { Problem } from '../src/ground/problem.js';
import { parseId, unknown } from './analysis-id.js';

/** POST /api/analyses/:id/restore: 200 with the analysis that was deleted a moment ago. */
export function restoreAnalysis({ analyses, worker }) {
  return async function handleRestore(request, response) {
    const file = await restore(analyses, parseId(request));
    if (!file) throw unknown(request.params.id);
    worker.kick();
    response.set('Cache-Control', 'no-store').json(toAnalysis(file));
  };
}

async function restore(analyses, id) {
  try {
    return await analyses.restore(id);
  } catch (error) {
    if (!(error instanceof SameFileError)) throw error;
    throw new Problem(409, 'The same file was uploaded again meanwhile; that analysis stays.');
  }
}
