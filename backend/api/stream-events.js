import { isFinal } from '../src/analysis.js';
import { findAnalysis, parseId } from './analysis-id.js';

const KEEP_ALIVE_MS = 15_000;

/**
 * GET /api/analyses/:id/events: server-sent events, one per state, those that have passed first:
 * event `status`, data {"id","status","at"}, id = the state. The stream ends with the last state; a
 * browser that comes back after it is told to stay away (204).
 */
export function streamEvents({ storage, progress }) {
  return async function handleEvents(request, response) {
    const id = parseId(request);
    const events = [];
    let take = (event) => events.push(event);
    // Listening starts before reading: a step in between would be lost.
    const stopListening = progress.listen(id, (event) => take(event));
    response.on('close', stopListening);
    const file = await findAnalysis(request, storage);
    if (isOver(request.get('Last-Event-ID'))) return response.status(204).end();

    // HEAD has no body to wait for.
    if (request.method === 'HEAD') return response.type('text/event-stream').end();
    const tell = createTeller(request.params.id, response);
    [...file.metadata.history, ...events].forEach(tell);
    take = tell;
  };
}

function isOver(status) {
  return status === 'deleted' || isFinal(status);
}

function createTeller(id, response) {
  const told = new Set();
  response.set({
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-cache',
    'X-Accel-Buffering': 'no',
  });
  response.flushHeaders();
  const keepAlive = setInterval(() => response.write(':\n\n'), KEEP_ALIVE_MS);
  response.on('close', () => clearInterval(keepAlive));
  return function tell({ status, at }) {
    if (told.has(status) || response.writableEnded) return;
    told.add(status);
    response.write(`event: status\nid: ${status}\ndata: ${JSON.stringify({ id, status, at })}\n\n`);
    if (isOver(status)) response.end();
  };
}
