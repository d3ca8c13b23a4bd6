import { PROBE_PATHS } from './probe-paths.js';

/** Middleware: one line an answered or aborted request; probes log only changes of health. */
export function logRequests(logger) {
  return function logRequest(request, response, next) {
    const started = performance.now();
    const { method, path } = request;
    if (!PROBE_PATHS.has(path)) {
      response.once('close', () => {
        const milliseconds = Math.round(performance.now() - started);
        const facts = { requestId: request.id, method, path, status: response.statusCode, milliseconds };
        if (response.writableFinished) logger.info(facts, 'request');
        else logger.info({ ...facts, status: null }, 'request aborted');
      });
    }
    next();
  };
}
