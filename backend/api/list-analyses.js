import { ObjectId } from 'mongodb';
import { toSummary } from '../src/analysis.js';
import { Problem } from '../src/problem.js';

const MAX_LIMIT = 100;
const DEFAULT_LIMIT = 20;

/**
 * GET /api/analyses?limit=20&before=ID: {items: [summary], total, next}, newest first; `next` is the
 * path of the following page or null.
 */
export function listAnalyses({ storage }) {
  return async function handleList(request, response) {
    const limit = readLimit(request.query.limit);
    const before = readBefore(request.query.before);
    // One more than asked for tells whether there is another page.
    const [files, total] = await Promise.all([storage.list({ limit: limit + 1, before }), storage.count()]);
    const items = files.slice(0, limit).map(toSummary);
    const next = files.length > limit ? `/api/analyses?limit=${limit}&before=${items.at(-1).id}` : null;
    response.set('Cache-Control', 'no-cache').json({ items, total, next });
  };
}

function readLimit(text = String(DEFAULT_LIMIT)) {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new Problem(400, `limit is a whole number from 1 to ${MAX_LIMIT}.`);
}

function readBefore(text) {
  if (text === undefined) return undefined;
  if (typeof text === 'string' && /^[0-9a-f]{24}$/i.test(text)) return ObjectId.createFromHexString(text);
  throw new Problem(400, 'before is the id of an analysis.');
}
