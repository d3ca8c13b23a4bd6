const ROUND_MS = 30_000;
const ROUNDS_PER_SWEEP = 60;

/** Removes what nobody can reach any more: deleted analyses after their time, rests of broken uploads. */
export class Janitor {
  constructor({ analyses, media, frames, settings, logger }) {
    Object.assign(this, { analyses, media, frames, settings, logger });
    this.rounds = 0;
  }

  /** Clean up now and from time to time. */
  start() {
    this.timer = setInterval(() => this.clean(), Math.min(ROUND_MS, Math.max(1000, this.settings.undoMs)));
    this.timer.unref();
    this.clean();
  }

  stop() {
    clearInterval(this.timer);
  }

  /** One round; a failed one is repeated by the next. */
  async clean() {
    try {
      const found = { purged: await this.analyses.purge(this.settings.undoMs), ...(await this.sweep()) };
      if (Object.values(found).some(Boolean)) this.logger.info(found, 'cleaned up');
    } catch (error) {
      this.logger.warn({ cause: error.message }, 'not cleaned up');
    }
  }

  // Orphans are rare and looking for them reads an index to its end.
  async sweep() {
    this.rounds += 1;
    if (this.rounds % ROUNDS_PER_SWEEP !== 1) return {};
    return { orphans: await this.media.removeOrphans(), frames: await this.frames.removeOrphans() };
  }
}
