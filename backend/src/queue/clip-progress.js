const FEW_FRAMES = 5;

/** How far a clip is, told from its frames as they come. */
export class ClipProgress {
  /** @param {() => number} now  milliseconds */
  constructor(now = () => performance.now()) {
    this.now = now;
    this.startedAt = now();
    this.firstFrameAt = null;
    this.framesDone = 0;
    this.framesTotal = null;
    this.people = new Set();
  }

  /** @param {{people: {id: number}[], total?: {frames: number | null}}} frame */
  note(frame) {
    this.firstFrameAt ??= this.now();
    this.framesDone += 1;
    this.framesTotal = frame.total?.frames ?? this.framesTotal;
    for (const person of frame.people ?? []) this.people.add(person.id);
  }

  /** @returns {object} as JobQueue.report takes it; etaSeconds is null while nothing can be said */
  describe() {
    return {
      framesDone: this.framesDone,
      framesTotal: this.framesTotal,
      people: this.people.size,
      elapsedSeconds: round((this.now() - this.startedAt) / 1000),
      etaSeconds: this.estimate(),
    };
  }

  /** The same once all frames were there: the container's own count may have been a guess. */
  finish() {
    return { ...this.describe(), framesTotal: this.framesDone, etaSeconds: 0 };
  }

  // The first frame also holds the wait for an engine: the others tell how long one takes.
  estimate() {
    if (this.framesTotal === null || this.framesDone < FEW_FRAMES) return null;
    const secondsPerFrame = (this.now() - this.firstFrameAt) / 1000 / (this.framesDone - 1);
    return round(Math.max(0, this.framesTotal - this.framesDone) * secondsPerFrame);
  }
}

function round(seconds) {
  return Math.round(seconds * 10) / 10;
}
