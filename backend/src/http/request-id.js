import { randomUUID } from 'node:crypto';

// What is safe in a header, a log line and a shell; the pose-service takes the same.
const SANE = /^[A-Za-z0-9._:@+/=-]{1,128}$/;

/** Middleware: `request.id` names the request in the answer, in problems, in the log and at the pose-service. */
export function nameRequest(request, response, next) {
  const offered = request.get('X-Request-Id') ?? '';
  request.id = SANE.test(offered) ? offered : randomUUID();
  response.set('X-Request-Id', request.id);
  next();
}
