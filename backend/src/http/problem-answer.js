import { Problem, toProblem } from '../ground/problem.js';

// What a handler said of the answer that it could not give.
const OF_THE_ANSWER = ['Content-Disposition', 'Content-Range', 'Accept-Ranges', 'ETag'];

/** Middleware for a path that no route knows. */
export function refuseUnknownPath(request) {
  throw new Problem(404, `There is nothing at ${request.path}.`);
}

/**
 * Error middleware: one problem document an error; the log gets the cause of every 5xx.
 *
 * @param {import('pino').Logger} logger
 * @param {(error: unknown) => string | null} describeOutage
 */
export function answerProblems(logger, describeOutage) {
  return function answerProblem(error, request, response, _next) {
    const problem = toProblem(error, describeOutage);
    if (problem.status >= 500) logCause(logger, request, problem);
    // Too late for a status line: cutting the connection is the only honest answer.
    if (response.headersSent) return response.destroy();
    const body = { ...problem.toJSON(), instance: request.originalUrl, requestId: request.id };
    for (const name of OF_THE_ANSWER) response.removeHeader(name);
    response.status(problem.status).set('Cache-Control', 'no-store').set(problem.headers);
    response.type('application/problem+json').json(body);
  };
}

function logCause(logger, request, problem) {
  const { cause } = problem;
  const facts = {
    requestId: request.id,
    path: request.path,
    status: problem.status,
    detail: problem.message,
  };
  if (problem.status === 500) facts.stack = cause?.stack ?? String(cause);
  else if (cause) facts.cause = cause.message;
  logger.error(facts, 'request failed');
}
