import { locate, toAnalysis } from '../src/analysis.js';
import { receiveMedia } from '../src/upload.js';

/**
 * POST /api/analyses: 201 with the finished analysis. With `Prefer: respond-async` (RFC 7240) 202 at
 * once; its events tell the rest.
 */
export function createAnalysis({ settings, storage, estimator, logger }) {
  return async function handleCreate(request, response) {
    const id = await receiveMedia(request, response, { storage, maxBytes: settings.maxUploadBytes });
    if (prefersAsync(request)) {
      const received = await storage.find(id);
      estimator.start(id);
      response.status(202).location(locate(id)).set('Preference-Applied', 'respond-async');
      response.json(toAnalysis(received));
      return;
    }
    const file = await estimateOrForget(id, { storage, estimator, logger });
    response.status(201).location(locate(id)).json(toAnalysis(file));
  };
}

function prefersAsync(request) {
  return /(^|[,\s])respond-async($|[,;\s])/i.test(request.get('Prefer') ?? '');
}

async function estimateOrForget(id, { storage, estimator, logger }) {
  try {
    return await estimator.run(id);
  } catch (error) {
    await storage
      .remove(id)
      .catch((cause) => logger.error({ id, cause: cause.message }, 'media not removed'));
    throw error;
  }
}
