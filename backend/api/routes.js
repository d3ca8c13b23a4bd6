import express from 'express';
import { Problem } from '../src/ground/problem.js';
import { createAnalysis } from './create-analysis.js';
import { deleteAnalysis } from './delete-analysis.js';
import { exportAnalysis } from './export-analysis.js';
import { listAnalyses } from './list-analyses.js';
import { listFrames } from './list-frames.js';
import { readAnalysis } from './read-analysis.js';
import { readHealth } from './read-health.js';
import { readIndex } from './read-index.js';
import { readLive } from './read-live.js';
import { readMedia } from './read-media.js';
import { readOpenApi } from './read-openapi.js';
import { readPicture } from './read-picture.js';
import { readThumbnail } from './read-thumbnail.js';
import { renameAnalysis } from './rename-analysis.js';
import { restoreAnalysis } from './restore-analysis.js';
import { retryAnalysis } from './retry-analysis.js';
import { streamEvents } from './stream-events.js';

/** Every path with its handlers; each handler is made from the services it needs. */
const ROUTES = [
  ['/', { GET: readIndex }],
  ['/live', { GET: readLive }],
  ['/health', { GET: readHealth }],
  ['/api/health', { GET: readHealth }],
  ['/api/openapi.json', { GET: readOpenApi }],
  ['/api/analyses', { GET: listAnalyses, POST: createAnalysis }],
  ['/api/analyses/:id', { GET: readAnalysis, PATCH: renameAnalysis, DELETE: deleteAnalysis }],
  ['/api/analyses/:id/restore', { POST: restoreAnalysis }],
  ['/api/analyses/:id/retry', { POST: retryAnalysis }],
  ['/api/analyses/:id/thumbnail', { GET: readThumbnail }],
  ['/api/analyses/:id/picture', { GET: readPicture }],
  ['/api/analyses/:id/frames', { GET: listFrames }],
  ['/api/analyses/:id/export', { GET: exportAnalysis }],
  ['/api/analyses/:id/media', { GET: readMedia }],
  ['/api/analyses/:id/events', { GET: streamEvents }],
];

/** @param {object} services  as of createServices */
export function createRouter(services) {
  // A path in one way of writing only: limits and turns go by the path as well.
  const router = express.Router({ caseSensitive: true, strict: true });
  router.patch('/api/analyses/:id', express.json({ limit: '8kb', type: ['json', '+json'] }));
  for (const [path, handlers] of ROUTES) {
    const route = router.route(path);
    for (const [method, create] of Object.entries(handlers)) route[method.toLowerCase()](create(services));
    route.all(refuseMethod(Object.keys(handlers)));
  }
  return router;
}

function refuseMethod(methods) {
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  return function answerMethod(request, response) {
    if (request.method === 'OPTIONS') return response.set('Allow', allow).status(204).end();
    throw new Problem(405, `${request.method} is not possible here; ${allow} are.`, {
      headers: { Allow: allow },
    });
  };
}
