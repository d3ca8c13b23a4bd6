import { toAnalysis } from '../src/analysis.js';
import { findAnalysis } from './analysis-id.js';

/** GET /api/analyses/:id: the whole analysis, pose included. */
export function readAnalysis({ storage }) {
  return async function handleRead(request, response) {
    const file = await findAnalysis(request, storage, { withPose: true });
    response.set('Cache-Control', 'no-cache').json(toAnalysis(file));
  };
}
