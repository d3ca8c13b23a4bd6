import { buffer, json } from 'node:stream/consumers';
import { CallWatch } from './call-watch.js';
import { postFile } from './multipart.js';
import { blameAnswer } from './pose-failure.js';
import { readLines } from './pose-lines.js';

/**
 * @typedef {object} Media  what is sent
 * @property {string} contentType
 * @property {number} bytes
 * @property {AsyncIterable<Buffer>} source
 */

/** The pose-service over HTTP. */
export class PoseClient {
  constructor({ poseUrl, poseTimeoutMs, poseStallMs }) {
    this.url = poseUrl;
    this.timeoutMs = poseTimeoutMs;
    this.stallMs = poseStallMs;
  }

  /**
   * Estimate the people on one photo.
   *
   * @param {Media} media
   * @param {{stance: string, requestId: string}} options
   * @param {AbortSignal} signal  ends the call early; its reason is thrown
   * @returns {Promise<object>} the service's answer: engine, device, image, milliseconds, people
   * @throws {import('./pose-failure.js').PoseFailure}
   */
  async estimate(media, options, signal) {
    return this.call(signal, async (watch) => {
      const response = await this.post('/pose', 'image', { media, options, watch });
      const answer = await readJson(response);
      if (response.statusCode === 200 && Array.isArray(answer?.people)) return answer;
      throw blameAnswer(response.statusCode, answer, retrySeconds(response));
    });
  }

  /**
   * Make a JPEG of a photo, small enough for a document of MongoDB.
   *
   * @returns {Promise<Buffer>}
   * @throws {import('./pose-failure.js').PoseFailure}
   */
  async makePicture(media, options, signal) {
    return this.call(signal, async (watch) => {
      const response = await this.post('/picture', 'image', { media, options, watch });
      if (response.statusCode === 200) return buffer(response);
      throw blameAnswer(response.statusCode, await readJson(response), retrySeconds(response));
    });
  }

  /**
   * Estimate the people on every frame of a clip.
   *
   * @returns {AsyncGenerator<object>} the service's lines: frames in order, the last one {summary}
   * @throws {import('./pose-failure.js').PoseFailure} also when the lines end without a summary
   */
  async *estimateClip(media, options, signal) {
    const watch = new CallWatch(signal, this.stallMs);
    try {
      const response = await this.post('/pose/video', 'video', { media, options, watch });
      if (response.statusCode !== 200) {
        throw blameAnswer(response.statusCode, await readJson(response), retrySeconds(response));
      }
      yield* readLines(response, watch);
    } catch (error) {
      throw watch.explain(error);
    } finally {
      watch.end();
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

  /** @returns {Promise<boolean>} would it take work now? */
  async isReady(signal) {
    const health = await this.readHealth(signal).catch(() => null);
    return ['ready', 'degraded'].includes(health?.status);
  }

  async call(signal, work) {
    const watch = new CallWatch(signal, this.timeoutMs);
    try {
      return await work(watch);
    } catch (error) {
      throw watch.explain(error);
    } finally {
      watch.end();
    }
  }

  post(path, field, { media, options: { stance, requestId }, watch }) {
    const url = new URL(this.url + path);
    url.searchParams.set('stance', stance);
    const source = observe(media.source, watch);
    const headers = { ...(requestId && { 'X-Request-Id': requestId }), Accept: 'application/json' };
    return postFile(url, { field, ...media, source }, { headers, signal: watch.signal });
  }
}

async function* observe(source, watch) {
  try {
    for await (const chunk of source) {
      watch.restart();
      yield chunk;
    }
  } catch (error) {
    watch.noteSourceError(error);
    throw error;
  }
}

async function readJson(response) {
  return json(response).catch((error) => {
    if (error instanceof SyntaxError) return null;
    throw error;
  });
}

function retrySeconds(response) {
  const seconds = Number(response.headers['retry-after']);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 60) : undefined;
}
