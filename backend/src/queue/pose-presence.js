import { Problem } from '../ground/problem.js';

const HEALTH_TIMEOUT_MS = 2000;

/** Whether the pose-service takes work: after a refusal it is not asked for work until it is well again. */
export class PosePresence {
  constructor({ pose, queue, settings, logger }) {
    Object.assign(this, { pose, queue, settings, logger });
    this.awaySince = null;
    this.restUntil = 0;
  }

  /** It refused to begin. @param {number} delayMs  when to ask again */
  noteRefusal(delayMs) {
    this.restUntil = performance.now() + delayMs;
    this.awaySince ??= performance.now();
  }

  /** @returns {Promise<boolean>} would it take work now? */
  async isThere() {
    if (performance.now() < this.restUntil) return false;
    if (this.awaySince === null) return true;
    if (await this.pose.isReady(AbortSignal.timeout(HEALTH_TIMEOUT_MS))) {
      this.awaySince = null;
      return true;
    }
    if (performance.now() - this.awaySince > this.settings.maxPoseAwayMs) await this.giveUp();
    return false;
  }

  async giveUp() {
    const seconds = this.settings.maxPoseAwayMs / 1000;
    const problem = new Problem(503, `The pose-service was away for more than ${seconds} s; try again.`);
    const failed = await this.queue.failWaiting(problem);
    if (failed > 0) this.logger.error({ failed }, 'the pose-service stays away');
  }
}
