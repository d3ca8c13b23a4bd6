import { useMemo } from 'react'

import { useFrames } from './useFrames.js'
import { usePlayer } from './usePlayer.js'

/**
 * A clip's frames and its player: `{ frames, times, frame, seconds, index, seek, isComplete, problem, … }`, and null
 * for a photo. `at` is the second to begin with.
 */
export function useClip({ id, kind }, { at }) {
  const isClip = kind === 'clip'
  const loaded = useFrames(isClip ? id : null)
  const times = useMemo(() => loaded.frames.map((frame) => frame.time_seconds), [loaded.frames])
  const player = usePlayer(times, Number(at) || 0)
  if (!isClip) return null
  const { index } = player
  return { ...loaded, ...player, times, frame: loaded.frames[index], seconds: times[index] ?? 0 }
}
