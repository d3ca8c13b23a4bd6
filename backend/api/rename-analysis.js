import { toAnalysis } from '../src/store/analysis.js';
import { cleanName } from '../src/media/media.js';
import { Problem } from '../src/ground/problem.js';
import { parseId, unknown } from './analysis-id.js';

/** PATCH /api/analyses/:id {"name": "..."}: 200 with the renamed analysis. */
export function renameAnalysis({ analyses }) {
  return async function handleRename(request, response) {
    const id = parseId(request);
    if (!request.is(['json', '+json'])) throw new Problem(415, 'Send {"name": "..."} as application/json.');
    const file = await analyses.rename(id, readName(request.body));
    if (!file) throw unknown(request.params.id);
    response.set('Cache-Control', 'no-store').json(toAnalysis(file));
  };
}

function readName(body) {
  const isNameOnly = Object.keys(body ?? {}).join() === 'name' && typeof body.name === 'string';
  const name = isNameOnly ? cleanName(body.name) : '';
  if (name) return name;
  throw new Problem(400, 'The body is {"name": "..."} with a name of at least one visible character.');
}
