import { describeProgress, isFinal } from '../src/store/analysis.js';
import { StreamPlaces } from '../src/http/stream-places.js';
import { findAnalysis } from './analysis-id.js';

const KEEP_ALIVE_MS = 15_000;
const RECONNECT_MS = 1000;

/**
 * GET /api/analyses/:id/events: server-sent events, those that have passed first; each has the
 * analysis's revision as its id, and with Last-Event-ID only later ones are sent.
 *
 * status: {id, status, at, revision, people?, error?}, one per state, `deleted` too;
 * progress: {id, revision, framesDone, …}, the latest. The stream ends with the last state; a browser
 * that comes back after it is told to stay away (204). A `ping` every 15 s tells that the connection stands.
 */
export function streamEvents({ analyses, feed, logger, settings = {} }) {
  const places = new StreamPlaces(settings);
  return async function handleEvents(request, response) {
    const file = await findAnalysis(request, analyses);
    const seen = readLastEventId(request);
    const { status, history } = file.metadata;
    if (isFinal(status) && seen >= history.at(-1).revision) return response.status(204).end();
    // HEAD has no body to wait for.
    if (request.method === 'HEAD') return response.type('text/event-stream').end();
    places.take(request, response);
    open(response);
    logger.debug({ id: file._id, requestId: request.id, seen }, 'events');
    response.on('close', feed.listen(file._id, createTeller(response, request.params.id, seen)));
  };
}

function readLastEventId(request) {
  const id = request.get('Last-Event-ID') ?? '';
  return /^\d{1,15}$/.test(id) ? Number(id) : 0;
}

function open(response) {
  response.set({
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-cache, no-transform',
    'X-Accel-Buffering': 'no',
  });
  response.flushHeaders();
  response.write(`retry: ${RECONNECT_MS}\n\n`);
  const keepAlive = setInterval(() => response.write('event: ping\ndata: {}\n\n'), KEEP_ALIVE_MS);
  response.on('close', () => clearInterval(keepAlive));
}

function createTeller(response, id, seen) {
  let told = seen;
  return function tell(file) {
    if (response.writableEnded) return;
    const fresh = eventsOf(file).filter(({ revision }) => revision > told);
    for (const { name, ...data } of fresh) {
      told = data.revision;
      response.write(`event: ${name}\nid: ${told}\ndata: ${JSON.stringify({ id, ...data })}\n\n`);
    }
    if (isOver(file)) response.end();
  };
}

function isOver(file) {
  return !file || file.metadata.isDeleted || isFinal(file.metadata.status);
}

/** All that an analysis has to tell, in order. */
function eventsOf(file) {
  if (!file) return [];
  const { history, progress, people, error, isDeleted, deletedAt, revision } = file.metadata;
  const states = history.map((entry) => ({ name: 'status', ...entry }));
  Object.assign(states.at(-1), people !== undefined && { people }, error && { error });
  // The last progress is written together with the last state, and comes before it.
  const latest = progress && { name: 'progress', revision: progress.revision, ...describeProgress(progress) };
  const events = latest ? [latest, ...states] : states;
  if (isDeleted) events.push({ name: 'status', status: 'deleted', at: deletedAt, revision });
  return events.sort((a, b) => a.revision - b.revision);
}
