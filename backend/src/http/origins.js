import cors from 'cors';
import { isSameHost } from '../ground/host-name.js';
import { Problem } from '../ground/problem.js';

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
    // The route itself answers OPTIONS, with what it allows.
    preflightContinue: true,
  });
}

/**
 * Middleware: a page of another origin cannot change anything, not even blindly: a form can be posted
 * without asking. Browsers say where a request comes from in headers that no page can forge:
 * Sec-Fetch-Site, and Origin where that is missing (old browsers, and every page that came over http from
 * another machine). A program that is no browser sends neither.
 */
export function refuseOtherSites(origins) {
  return function refuseOtherSite(request, _response, next) {
    if (CHANGING.has(request.method) && !isOwnPage(request) && !origins.includes(request.get('Origin'))) {
      throw new Problem(403, 'A page of another origin cannot change anything here; CORS_ORIGINS lets it.');
    }
    next();
  };
}

function isOwnPage(request) {
  const site = request.get('Sec-Fetch-Site');
  // Behind a proxy that changes the Host only the browser can tell.
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const origin = request.get('Origin');
  return origin === undefined || isSameHost(origin, request.headers.host);
}
