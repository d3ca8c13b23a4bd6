import { toSummary } from '../src/store/analysis.js';
import { locateNext, parseListQuery } from './list-query.js';

/**
 * GET /api/analyses?limit=20&status=&kind=&q=&sort=-createdAt: {items: [summary], total, next}; `next` is
 * the path of the following page or null.
 */
export function listAnalyses({ analyses }) {
  return async function handleList(request, response) {
    const { limit, order, ...question } = parseListQuery(request.query);
    // One more than asked for tells whether there is another page.
    const { files, total } = await analyses.list({ ...question, limit: limit + 1 });
    const page = files.slice(0, limit);
    const next = files.length > limit ? locateNext(request.query, order, page.at(-1)) : null;
    response.set('Cache-Control', 'no-cache').json({ items: page.map(toSummary), total, next });
  };
}
