import cors from 'cors';
import { Problem } from './problem.js';

const EXPOSED = [
  'Location',
  'X-Request-Id',
  'Retry-After',
  'Undo-Until',
  'Content-Range',
  'Content-Disposition',
];
const CHANGING = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** Middleware: pages of the given origins may read answers; nobody else's may. */
export function allowOrigins(origins) {
  return cors({
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED,
    maxAge: 600,
  });
}

/**
 * Middleware: a page of another site cannot change anything, not even blindly: a form can be posted
 * without asking. Browsers say where a request comes from in headers that no page can forge.
 */
export function refuseOtherSites(origins) {
  const isAllowed = (origin) => origins.includes(origin);
  return function refuseOtherSite(request, _response, next) {
    const site = request.get('Sec-Fetch-Site');
    const isOther = site !== undefined && site !== 'same-origin' && site !== 'none';
    if (CHANGING.has(request.method) && isOther && !isAllowed(request.get('Origin'))) {
      throw new Problem(403, 'A page of another origin cannot change anything here; CORS_ORIGINS lets it.');
    }
    next();
  };
}
