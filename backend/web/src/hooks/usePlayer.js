import { useCallback, useEffect, useState } from 'react'

import { frameAt, seekTime } from '../pose/timeline.js'

/**
 * A video and the frame that is looked at, kept together:
 * `{ setVideo, index, seek, isMoved, isPlaying, toggle, isBroken }`. `times` are the frames' moments in seconds; `first`
 * is the frame to begin with, `isMoved` is false until somebody chose another. While it plays, the frame follows the video; otherwise the video
 * follows the frame. A video that the browser cannot play is broken: its frames can still be walked through.
 */
export function usePlayer(times, first) {
  const [video, setVideo] = useState(null)
  const [chosen, setChosen] = useState(null)
  const [isPlaying, setIsPlaying] = useState(false)
  const [isBroken, setIsBroken] = useState(false)
  const index = Math.min(chosen ?? first, Math.max(0, times.length - 1))

  const seek = useCallback(
    (next) => {
      const wanted = Math.max(0, Math.min(times.length - 1, next))
      setChosen(wanted)
      if (video) video.currentTime = seekTime(times, wanted)
    },
    [times, video],
  )
  const toggle = useCallback(() => {
    if (!video.paused) return video.pause()
    // A play that is cut short by a pause is no error.
    return video.play().catch(() => {})
  }, [video])

  useEffect(() => {
    if (!video) return undefined
    const handlers = {
      play: () => setIsPlaying(true),
      pause: () => setIsPlaying(false),
      error: () => setIsBroken(true),
    }
    for (const [name, handler] of Object.entries(handlers)) video.addEventListener(name, handler)
    return () => {
      for (const [name, handler] of Object.entries(handlers)) video.removeEventListener(name, handler)
    }
  }, [video])

  useEffect(() => {
    if (!isPlaying) return undefined
    return followFrames(video, (seconds) => setChosen(frameAt(times, seconds)))
  }, [isPlaying, video, times])

  // Only at the start: nobody has chosen a frame yet.
  useEffect(() => {
    if (video && chosen === null && index > 0) video.currentTime = seekTime(times, index)
  }, [video, chosen, times, index])

  return { setVideo, index, seek, isMoved: chosen !== null, isPlaying, toggle, isBroken }
}

/** Call `onFrame(seconds)` for each frame that is shown; returns the function that ends it. */
function followFrames(video, onFrame) {
  const isExact = 'requestVideoFrameCallback' in video
  const request = isExact ? (step) => video.requestVideoFrameCallback(step) : requestAnimationFrame
  const cancel = isExact ? (handle) => video.cancelVideoFrameCallback(handle) : cancelAnimationFrame
  let handle = request(step)

  function step(now, frame) {
    onFrame(frame?.mediaTime ?? video.currentTime)
    handle = request(step)
  }
  return () => cancel(handle)
}
