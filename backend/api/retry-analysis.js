import { toAnalysis } from '../src/store/analysis.js';
import { Problem } from '../src/ground/problem.js';
import { findAnalysis, parseId } from './analysis-id.js';

/** POST /api/analyses/:id/retry: 202; a failed analysis goes into the queue again. */
export function retryAnalysis({ analyses, worker }) {
  return async function handleRetry(request, response) {
    const file = await analyses.retry(parseId(request));
    if (!file) {
      const { metadata } = await findAnalysis(request, analyses);
      throw new Problem(409, `Only a failed analysis is tried again; this one is ${metadata.status}.`);
    }
    worker.kick();
    response.status(202).set('Cache-Control', 'no-store').json(toAnalysis(file));
  };
}
