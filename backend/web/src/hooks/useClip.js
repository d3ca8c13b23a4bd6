import { useMemo } from 'react'

import { bestFrame } from '../pose/clip-people.js'
import { frameAt } from '../pose/timeline.js'
import { useFrames } from './useFrames.js'
import { usePlayer } from './usePlayer.js'

/**
 * A clip's frames and its player: `{ frames, times, frame, seconds, index, seek, isComplete, problem, … }`, and null
 * for a photo. `at` is the second to begin with, as the address has it; without one the clip opens where the person
 * is seen best.
 */
export function useClip({ id, kind }, { at, personId }) {
  const isClip = kind === 'clip'
  const loaded = useFrames(isClip ? id : null)
  const { frames } = loaded
  const times = useMemo(() => frames.map((frame) => frame.time_seconds), [frames])
  const isNamed = at !== null && Number.isFinite(Number(at))
  const first = useMemo(
    () => (isNamed ? frameAt(times, Number(at)) : bestFrame(frames, personId)),
    [isNamed, at, times, frames, personId],
  )
  const player = usePlayer(times, first)
  if (!isClip) return null
  const { index } = player
  return {
    ...loaded,
    ...player,
    times,
    frame: frames[index],
    seconds: times[index] ?? 0,
    isMoved: player.isMoved || isNamed,
    seekTime: (seconds) => player.seek(frameAt(times, seconds)),
  }
}
