import { rateLimit } from 'express-rate-limit';
import { PROBE_PATHS } from './probe-paths.js';
import { Problem } from '../ground/problem.js';

const MINUTE_MS = 60_000;

/** Middleware: at most so many requests a minute from one address, and so many uploads. 0: no limit. */
export function limitRates({ requestsPerMinute, uploadsPerMinute }) {
  const isUpload = ({ method, path }) => method === 'POST' && path === '/api/analyses';
  return [
    ...limit(requestsPerMinute, 'requests', ({ path }) => PROBE_PATHS.has(path)),
    ...limit(uploadsPerMinute, 'uploads', (request) => !isUpload(request)),
  ];
}

function limit(perMinute, what, skip) {
  if (perMinute === 0) return [];
  const answer = (request, _response, next) => {
    const seconds = Math.max(1, Math.ceil((request[what].resetTime - Date.now()) / 1000));
    next(
      new Problem(429, `More than ${perMinute} ${what} a minute; wait ${seconds} s.`, {
        headers: { 'Retry-After': String(seconds) },
      }),
    );
  };
  const names = { identifier: what, requestPropertyName: what };
  return [
    rateLimit({
      windowMs: MINUTE_MS,
      limit: perMinute,
      standardHeaders: 'draft-8',
      legacyHeaders: false,
      skip,
      handler: answer,
      ...names,
    }),
  ];
}
