import { parseId, unknown } from './analysis-id.js';

/** DELETE /api/analyses/:id: 204; the media goes with it. */
export function deleteAnalysis({ storage, progress }) {
  return async function handleDelete(request, response) {
    const id = parseId(request);
    if (!(await storage.remove(id))) throw unknown(request.params.id);
    progress.reportDeleted(id);
    response.status(204).end();
  };
}
