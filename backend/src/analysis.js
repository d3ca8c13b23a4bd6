/**
 * An analysis is one document: the GridFS file of its media, with everything else in `metadata`
 * {contentType, status, history: [{status, at}], pose, people, error}. GridFS writes that document
 * last and deletes it first, so there is never an analysis without its media.
 *
 * States: received -> estimating -> done | failed.
 */
export const FINAL_STATES = ['done', 'failed'];

/** @returns {boolean} true when nothing more will happen to the analysis */
export function isFinal(status) {
  return FINAL_STATES.includes(status);
}

/** A GridFS file document as the API's whole analysis. */
export function toAnalysis(file) {
  const { status, history, pose = null, error } = file.metadata;
  return { ...describeMedia(file), status, pose, ...(error && { error }), history };
}

/** The same without the pose: `people` is their number, null until the estimate is done. */
export function toSummary(file) {
  const { status, people = null, error } = file.metadata;
  return { ...describeMedia(file), status, people, ...(error && { error }) };
}

/** The path under which an analysis is found. */
export function locate(id) {
  return `/api/analyses/${id}`;
}

function describeMedia(file) {
  return {
    id: file._id.toHexString(),
    filename: file.filename,
    contentType: file.metadata.contentType,
    bytes: file.length,
    createdAt: file.uploadDate.toISOString(),
  };
}
