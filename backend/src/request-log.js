const QUIET_PATHS = new Set(['/health', '/api/health']);

/** Middleware: one line an answered or aborted request; health probes log only their changes. */
export function logRequests(logger) {
  return function logRequest(request, response, next) {
    const started = performance.now();
    const { method, path } = request;
    if (!QUIET_PATHS.has(path)) {
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
