import { locate, STANCES, toAnalysis } from '../src/store/analysis.js';
import { DuplicateMedia } from '../src/store/media-store.js';
import { waitForOutcome } from '../src/queue/outcome.js';
import { Problem } from '../src/ground/problem.js';
import { receiveMedia } from '../src/http/upload.js';
import { readChoice } from './query.js';

const MAX_WAIT_SECONDS = 60;

/**
 * POST /api/analyses?stance=auto: 201 with the accepted analysis, which is safe in the database and in
 * the queue; its events tell the rest. 200 when the same file is here already. `Prefer: wait=N`
 * (RFC 7240) lets the answer wait for the outcome, N seconds at most.
 */
export function createAnalysis(services) {
  const { analyses, worker, feed } = services;
  return async function handleCreate(request, response) {
    const stance = readChoice(request.query, 'stance', STANCES, 'auto');
    if (!services.database.isReady) throw notReady();
    const { id, duplicate } = await accept(request, response, { ...services, stance });
    worker.kick();
    const seconds = readWait(request);
    if (seconds > 0) {
      response.set('Preference-Applied', `wait=${seconds}`);
      // Meanwhile nobody says anything.
      response.setTimeout(0);
      await waitForOutcome(feed, id, seconds * 1000);
    }
    const file = await analyses.find(id, { withResults: true });
    if (!file) throw new Problem(404, 'The analysis was deleted at once.');
    const status = duplicate ? 200 : 201;
    response.status(status).location(locate(id)).set('Cache-Control', 'no-store');
    response.json({ ...toAnalysis(file), duplicate });
  };
}

async function accept(request, response, target) {
  try {
    return { id: await receiveMedia(request, response, target), duplicate: false };
  } catch (error) {
    if (!(error instanceof DuplicateMedia)) throw error;
    return { id: await reuse(error.sha256, target), duplicate: true };
  }
}

// Who sends a file again whose analysis failed wants it tried again.
async function reuse(sha256, { analyses, stance }) {
  const same = await analyses.findSame(sha256, stance);
  if (!same) throw notReady('The same file was deleted just now; send it again.');
  if (same.metadata.status === 'failed') await analyses.retry(same._id);
  return same._id;
}

function notReady(detail = 'The database is being prepared; try again in a moment.') {
  return new Problem(503, detail, { headers: { 'Retry-After': '2' } });
}

function readWait(request) {
  const found = /(?:^|[,\s])wait=(\d{1,4})(?:$|[,;\s])/i.exec(request.get('Prefer') ?? '');
  return found ? Math.min(Number(found[1]), MAX_WAIT_SECONDS) : 0;
}
