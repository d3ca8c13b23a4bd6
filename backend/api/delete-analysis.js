import { parseId, unknown } from './analysis-id.js';

/**
 * DELETE /api/analyses/:id: 204; it is gone, and its work is cancelled. Until the time in the header
 * `Undo-Until` POST …/restore brings it back; then media, frames and thumbnail are removed.
 */
export function deleteAnalysis({ analyses, worker, settings }) {
  return async function handleDelete(request, response) {
    const id = parseId(request);
    const file = await analyses.remove(id);
    if (!file) throw unknown(request.params.id);
    worker.cancel(id);
    const until = new Date(file.metadata.deletedAt.getTime() + settings.undoMs);
    response.status(204).set('Undo-Until', until.toISOString()).end();
  };
}
