import './Scrubber.css'

import { formatTime } from '../pose/timeline.js'

/** Play, or walk through a clip frame by frame: the slider takes the arrow keys, Home and End. */
export function Scrubber({ clip }) {
  const { index, times, seconds, seek, isPlaying, toggle, isBroken } = clip
  const last = Math.max(0, times.length - 1)
  return (
    <div className="scrubber" role="group" aria-label="Player">
      <button type="button" className="button scrubber-play" onClick={toggle} disabled={isBroken}>
        {isPlaying ? 'Pause' : 'Play'}
      </button>
      <button
        type="button"
        className="button scrubber-step"
        aria-label="Previous frame"
        onClick={() => seek(index - 1)}
        disabled={index === 0}
      >
        ‹
      </button>
      <input
        className="scrubber-slider"
        type="range"
        aria-label="Frame"
        min="0"
        max={last}
        step="1"
        value={index}
        aria-valuetext={`frame ${index + 1} of ${times.length}, ${seconds.toFixed(2)} seconds`}
        onChange={(event) => seek(Number(event.target.value))}
      />
      <button
        type="button"
        className="button scrubber-step"
        aria-label="Next frame"
        onClick={() => seek(index + 1)}
        disabled={index === last}
      >
        ›
      </button>
      <output className="scrubber-time">
        {formatTime(seconds)}
        <span className="scrubber-frames">
          {' · '}
          {index + 1}/{times.length}
        </span>
      </output>
    </div>
  )
}
