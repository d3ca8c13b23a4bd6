import { toAnalysis } from '../src/store/analysis.js';
import { findAnalysis } from './analysis-id.js';

/** GET /api/analyses/:id: the whole analysis, pose or summary included. */
export function readAnalysis({ analyses }) {
  return async function handleRead(request, response) {
    const file = await findAnalysis(request, analyses, { withResults: true });
    response.set('Cache-Control', 'no-cache').json(toAnalysis(file));
  };
}
