import { blameConnection, blameSilence, PoseFailure } from './pose-failure.js';

/** Ends a call when its caller says so, or when nothing happened for too long. */
export class CallWatch {
  /** @param {AbortSignal} callerSignal @param {number} milliseconds  of silence that are too long */
  constructor(callerSignal, milliseconds) {
    this.controller = new AbortController();
    this.signal = this.controller.signal;
    this.milliseconds = milliseconds;
    this.sourceError = null;
    // AbortSignal.any would keep every call in the memory of a caller that lives on.
    this.follow = () => this.controller.abort(callerSignal.reason);
    this.callerSignal = callerSignal;
    callerSignal.addEventListener('abort', this.follow, { once: true });
    if (callerSignal.aborted) this.follow();
    this.restart();
  }

  /** Something happened. */
  restart() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.controller.abort(blameSilence(this.milliseconds)), this.milliseconds);
  }

  /** What is sent could not be read: the other side is not to blame. @param {Error} error */
  noteSourceError(error) {
    this.sourceError = error;
  }

  /** The call is over; what is still open of its answer is closed. */
  end() {
    clearTimeout(this.timer);
    this.callerSignal.removeEventListener('abort', this.follow);
    this.controller.abort();
  }

  /** Why the call really ended. @param {Error} error  what it threw */
  explain(error) {
    if (this.signal.aborted) return this.signal.reason;
    if (error instanceof PoseFailure) return error;
    return this.sourceError ?? blameConnection(error);
  }
}
