/** Why a run ends that was not ended by its own work. */
export const LOST = new Error('the analysis was deleted, or another process has it');
export const STOPPED = new Error('the API stops');

/**
 * Holds a job while it is worked on: extends it three times a lease, and ends the run when it is no
 * longer ours. A database that is away for a while is no reason to give up: as long as nobody else
 * claimed the job the token is still good.
 */
export class Lease {
  constructor({ queue, job, logger }) {
    Object.assign(this, { queue, job, logger });
    this.controller = new AbortController();
    this.signal = this.controller.signal;
    this.timer = setInterval(() => this.extend(), queue.leaseMs / 3);
  }

  async extend() {
    try {
      if (!(await this.queue.extend(this.job))) this.end(LOST);
    } catch (error) {
      this.logger.warn({ id: this.job.id, cause: error.message }, 'lease not extended');
    }
  }

  /** End the run. @param {Error} reason */
  end(reason) {
    this.controller.abort(reason);
  }

  /** Hold it no longer. */
  letGo() {
    clearInterval(this.timer);
  }
}
