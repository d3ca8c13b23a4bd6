/**
 * An analysis is one document: the GridFS file of its media, with everything else in `metadata`. GridFS
 * writes that document last, so there is never an analysis without its media, and its place in the
 * queue (`metadata.job`) is written with it: what is accepted is queued.
 *
 * metadata: {
 *   contentType, kind: photo | clip, needsCopy, sha256, name, options: {stance}, requestId,
 *   status, revision, history: [{status, at, revision}],     revision grows with every visible change
 *   progress: {revision, framesDone, framesTotal, people, elapsedSeconds, etaSeconds, waitingFor, at},
 *   job: {attempts, token, dueAt},                            while there is work to do
 *   run, pose | summary, people, hasThumbnail, hasCopy, error,                what came of it
 *   isDeleted, deletedAt }
 *
 * States: received -> estimating -> done | failed; estimating -> received when the work is put back.
 */
export const FINAL_STATES = ['done', 'failed'];
export const STATES = ['received', 'estimating', ...FINAL_STATES];
export const KINDS = ['photo', 'clip'];
export const STANCES = ['auto', 'regular', 'goofy'];

/** @returns {boolean} true when nothing more will happen to the analysis */
export function isFinal(status) {
  return FINAL_STATES.includes(status);
}

/** What a new analysis holds besides its media. */
export function createMetadata({ contentType, kind, needsCopy, name, stance, requestId }) {
  const now = new Date();
  return {
    contentType,
    kind,
    needsCopy,
    name,
    options: { stance },
    requestId,
    status: 'received',
    revision: 1,
    history: [{ status: 'received', at: now, revision: 1 }],
    job: { attempts: 0, token: null, dueAt: now },
    isDeleted: false,
  };
}

/** A GridFS file document as the API's whole analysis. */
export function toAnalysis(file) {
  const { history, pose = null, summary = null } = file.metadata;
  return { ...toSummary(file), history, pose, summary };
}

/** The same without what is large: `people` is their number, null until the work is done. */
export function toSummary(file) {
  const { status, people = null, error, progress = null, attempts = 0, job } = file.metadata;
  return {
    ...describeMedia(file),
    status,
    people,
    revision: file.metadata.revision,
    progress: progress && describeProgress(progress),
    attempts: job?.attempts ?? attempts,
    ...(error && { error }),
    links: describeLinks(file),
  };
}

/** Progress as it is told: without its own bookkeeping. */
export function describeProgress({ revision: _revision, ...progress }) {
  return progress;
}

/** The path under which an analysis is found. */
export function locate(id) {
  return `/api/analyses/${id}`;
}

function describeMedia(file) {
  const { contentType, kind, name, sha256 = null, options } = file.metadata;
  return {
    id: file._id.toHexString(),
    filename: file.filename,
    name,
    contentType,
    kind,
    bytes: file.length,
    sha256,
    stance: options.stance,
    createdAt: file.uploadDate.toISOString(),
  };
}

function describeLinks(file) {
  const self = locate(file._id.toHexString());
  return {
    self,
    media: `${self}/media`,
    picture: describePicture(file, self),
    thumbnail: file.metadata.hasThumbnail ? `${self}/thumbnail` : null,
    events: `${self}/events`,
    frames: file.metadata.kind === 'clip' ? `${self}/frames` : null,
    exportJson: `${self}/export?format=json`,
    exportCsv: `${self}/export?format=csv`,
  };
}

function describePicture({ metadata: { kind, needsCopy, hasCopy } }, self) {
  if (kind !== 'photo') return null;
  if (!needsCopy) return `${self}/media`;
  return hasCopy ? `${self}/picture` : null;
}
