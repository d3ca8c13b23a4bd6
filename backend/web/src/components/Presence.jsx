import './Presence.css'

import { runsOf } from '../pose/clip-people.js'
import { formatSpan } from '../pose/timeline.js'

/** For how much of the clip the rider is seen: in words, and as the parts of a bar that stands for the clip. */
export function Presence({ person, summary, frames }) {
  const { first_seconds: first, last_seconds: last } = person
  return (
    <div className="presence">
      <p>
        <strong>
          Rider seen in {person.frames} of {summary.frames} frames
        </strong>{' '}
        <span>{formatSpan(first, last)}</span>
      </p>
      <svg
        className="presence-bar"
        viewBox={`0 0 ${Math.max(1, frames.length)} 1`}
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        {runsOf(frames, person.id).map(([start, end]) => (
          <rect key={start} className="presence-seen" x={start} width={end - start} height="1" />
        ))}
      </svg>
    </div>
  )
}
