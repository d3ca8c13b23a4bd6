/**
 * GET /live: {"status": "alive"} whatever else is missing. For who decides whether to restart this
 * process; /health tells whether it can work.
 */
export function readLive() {
  return function handleLive(_request, response) {
    response.set('Cache-Control', 'no-store').json({ status: 'alive' });
  };
}
