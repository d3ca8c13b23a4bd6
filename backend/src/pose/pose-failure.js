import { Problem } from '../ground/problem.js';

/** What to do about a failure: the work is repeated when there is a service again, at once, or never. */
export const REMEDIES = { wait: 'wait', repeat: 'repeat', giveUp: 'give up' };

// The request was not begun; asking again later costs nothing.
const NOT_BEGUN = new Set(['busy', 'no-room', 'engine-starting', 'engine-failed', 'stopping', 'blank']);
const ABOUT_THE_FILE = new Set([400, 413, 415, 422]);
// Nobody listens, or nobody knows the name yet: the container is being started.
const NOT_THERE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
]);
const RETRY_SECONDS = 5;

/** The pose-service did not do what it was asked. */
export class PoseFailure extends Problem {
  /** @param {{remedy: string, retrySeconds?: number}} options  besides those of Problem */
  constructor(status, detail, { remedy, retrySeconds = RETRY_SECONDS, ...options }) {
    const headers = status === 503 ? { 'Retry-After': String(retrySeconds) } : {};
    super(status, detail, { headers, ...options });
    this.remedy = remedy;
    this.retrySeconds = retrySeconds;
  }
}

/**
 * A problem document of the pose-service as our failure.
 *
 * @param {number} status
 * @param {{type?: string, title?: string, detail?: string, reason?: string} | null} body
 * @param {number} [retrySeconds]
 */
export function blameAnswer(status, body, retrySeconds) {
  const { type = 'about:blank', title, detail, reason = '' } = body ?? {};
  const said = detail ?? reason;
  if (isNotBegun(status, type)) {
    const options = { remedy: REMEDIES.wait, retrySeconds };
    return new PoseFailure(503, sentence('The pose-service is not ready', said), options);
  }
  if (ABOUT_THE_FILE.has(status)) {
    const options = { remedy: REMEDIES.giveUp, type, title };
    return new PoseFailure(status, said || 'The pose-service cannot use this file.', options);
  }
  const what = status < 400 ? 'an answer that is no estimate' : `status ${status}`;
  return new PoseFailure(502, sentence(`The pose-service gave ${what}`, said), { remedy: REMEDIES.repeat });
}

function isNotBegun(status, type) {
  return status === 429 || (status === 503 && NOT_BEGUN.has(type.split(':').at(-1)));
}

function sentence(start, said) {
  return said ? `${start}: ${said}` : `${start}.`;
}

/** A connection that did not come about or broke. @param {Error & {code?: string}} error */
export function blameConnection(error) {
  const isThere = !NOT_THERE.has(error.code);
  const reason = error.code ?? error.message;
  const detail = isThere
    ? `The pose-service broke off (${reason}).`
    : `The pose-service cannot be reached (${reason}).`;
  return new PoseFailure(502, detail, {
    remedy: isThere ? REMEDIES.repeat : REMEDIES.wait,
    cause: error,
  });
}

/** Silence. @param {number} milliseconds  how long it was waited */
export function blameSilence(milliseconds) {
  const detail = `The pose-service gave no answer within ${milliseconds / 1000} s.`;
  return new PoseFailure(504, detail, { remedy: REMEDIES.repeat });
}
