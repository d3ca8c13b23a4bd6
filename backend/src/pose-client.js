import { Problem } from './problem.js';

// Answers that are about the photo, not about us: the sender should see them as they are.
const ABOUT_THE_IMAGE = new Set([400, 413, 415, 422]);
const RETRY_AFTER = { 'Retry-After': '5' };

/** The pose-service over HTTP. */
export class PoseClient {
  constructor({ poseUrl, poseTimeoutMs }) {
    this.url = poseUrl;
    this.timeoutMs = poseTimeoutMs;
  }

  /**
   * Estimate the people on one photo.
   *
   * @param {Blob} image
   * @param {AbortSignal} signal  ends the call early; its reason is thrown
   * @returns {Promise<object>} the service's answer: engine, device, image, milliseconds, people
   * @throws {Problem} the service's own about the image; 502 no usable answer, 503 starting, 504 timeout
   */
  async estimate(image, signal) {
    const body = new FormData();
    body.set('image', image, 'media');
    const timeout = AbortSignal.timeout(this.timeoutMs);
    try {
      const response = await fetch(`${this.url}/pose`, {
        method: 'POST',
        body,
        signal: AbortSignal.any([signal, timeout]),
      });
      return await readEstimate(response);
    } catch (error) {
      throw this.explain(error, signal, timeout);
    }
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<object>} the service's health document, whatever its HTTP status
   * @throws {Error} when there is none
   */
  async readHealth(signal) {
    const response = await fetch(`${this.url}/health`, { signal });
    return response.json();
  }

  explain(error, signal, timeout) {
    if (error instanceof Problem) return error;
    if (signal.aborted) return signal.reason;
    if (timeout.aborted) {
      return new Problem(504, `The pose-service gave no answer within ${this.timeoutMs / 1000} s.`);
    }
    const reason = error.cause?.code ?? error.cause?.message ?? error.message;
    return new Problem(502, `The pose-service cannot be reached (${reason}).`, { cause: error });
  }
}

async function readEstimate(response) {
  const answer = parseObject(await response.text());
  if (response.ok && Array.isArray(answer?.people)) return answer;
  if (ABOUT_THE_IMAGE.has(response.status)) throw passOn(response.status, answer);
  throw blameService(response, answer?.detail ?? answer?.reason);
}

function blameService(response, reason) {
  const said = reason ? `: ${reason}` : '.';
  if (response.status === 503) {
    return new Problem(503, `The pose-service is not ready${said}`, { headers: RETRY_AFTER });
  }
  const what = response.ok ? 'an answer that is no estimate' : `status ${response.status}`;
  return new Problem(502, `The pose-service gave ${what}${said}`);
}

function passOn(status, answer) {
  const detail = answer?.detail ?? 'The pose-service cannot use this image.';
  return new Problem(status, detail, { type: answer?.type, title: answer?.title });
}

function parseObject(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
