import { FRAME_DETAILS } from '../src/store/frames.js';
import { Problem } from '../src/ground/problem.js';
import { findAnalysis } from './analysis-id.js';
import { readChoices, readInteger } from './query.js';

/**
 * GET /api/analyses/:id/frames?from=0&limit=300&fields=measures: {items, total, next}; an item is what the
 * pose-service said of that frame. `fields` leaves out the other details of its people.
 */
export function listFrames({ analyses, frames }) {
  return async function handleFrames(request, response) {
    const from = readInteger(request.query, 'from', { fallback: 0, min: 0, max: 1e9 });
    const limit = readInteger(request.query, 'limit', { fallback: 300, min: 1, max: 1000 });
    const fields = readChoices(request.query, 'fields', FRAME_DETAILS);
    const file = await findAnalysis(request, analyses);
    if (file.metadata.kind !== 'clip')
      throw new Problem(409, 'A photo has no frames; its pose holds everything.');
    const [items, total] = await Promise.all([
      collect(frames.read(file, { from, limit: limit + 1, projection: project(fields) })),
      frames.count(file),
    ]);
    const next = items.length > limit ? locate(request, items[limit].index) : null;
    response.set('Cache-Control', 'no-cache').json({ items: items.slice(0, limit), total, next });
  };
}

async function collect(iterable) {
  const items = [];
  for await (const item of iterable) items.push(item);
  return items;
}

function project(fields) {
  if (!fields) return { frame: 1 };
  const left = FRAME_DETAILS.filter((name) => !fields.includes(name));
  return Object.fromEntries([...left.map((name) => [`frame.people.${name}`, 0]), ['_id', 0]]);
}

function locate(request, from) {
  return `/api/analyses/${request.params.id}/frames?${new URLSearchParams({ ...request.query, from })}`;
}
