import { Problem } from '../src/ground/problem.js';
import { PICTURE_TYPE } from '../src/media/pictures.js';
import { findAnalysis } from './analysis-id.js';
import { describeUnchanging } from './unchanging.js';

/** GET /api/analyses/:id/picture: the JPEG copy of a photo that browsers cannot show, or 304; 404 without one. */
export function readPicture({ analyses, pictures }) {
  return async function handlePicture(request, response) {
    const file = await findAnalysis(request, analyses);
    const picture = file.metadata.hasCopy ? await pictures.read(file._id) : null;
    if (!picture) throw new Problem(404, 'There is no copy of this photo.');
    describeUnchanging(response, { contentType: PICTURE_TYPE, version: `picture-${request.params.id}` });
    if (request.fresh) return response.status(304).end();
    response.send(picture);
  };
}
