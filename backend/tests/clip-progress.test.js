import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClipProgress } from '../src/queue/clip-progress.js';

/** Progress after so many frames of 100 ms each, the first of which came after 3 s. */
function after(frames, total) {
  let milliseconds = 0;
  const progress = new ClipProgress(() => milliseconds);
  milliseconds = 3000;
  for (let i = 0; i < frames; i += 1) {
    progress.note({ people: [{ id: i % 2 }], total: { frames: total } });
    if (i < frames - 1) milliseconds += 100;
  }
  return progress;
}

test('the wait for the first frame says nothing about the others', () => {
  const { framesDone, people, elapsedSeconds, etaSeconds } = after(21, 51).describe();
  assert.deepEqual([framesDone, people, elapsedSeconds, etaSeconds], [21, 2, 5, 3]);
});

test('too few frames, or no total, tell no end', () => {
  assert.equal(after(2, 50).describe().etaSeconds, null);
  assert.equal(after(20, null).describe().etaSeconds, null);
});

test('more frames than announced are no negative time, and the end is the end', () => {
  assert.equal(after(20, 10).describe().etaSeconds, 0);
  const { framesTotal, etaSeconds } = after(20, 10).finish();
  assert.deepEqual([framesTotal, etaSeconds], [20, 0]);
});
