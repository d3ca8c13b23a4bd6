import { Problem } from '../src/ground/problem.js';
import { THUMBNAIL_TYPE } from '../src/media/thumbnails.js';
import { findAnalysis } from './analysis-id.js';
import { describeUnchanging } from './unchanging.js';

/** GET /api/analyses/:id/thumbnail: a small picture as WebP, or 304; 404 while there is none. */
export function readThumbnail({ analyses, thumbnails }) {
  return async function handleThumbnail(request, response) {
    const file = await findAnalysis(request, analyses);
    const picture = file.metadata.hasThumbnail ? await thumbnails.read(file._id) : null;
    if (!picture) throw new Problem(404, 'There is no thumbnail of this analysis.');
    describeUnchanging(response, { contentType: THUMBNAIL_TYPE, version: `thumbnail-${request.params.id}` });
    if (request.fresh) return response.status(304).end();
    response.send(picture);
  };
}
