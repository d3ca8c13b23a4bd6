import './SubjectFigure.css'

import { useCallback } from 'react'

import { shownUrl } from '../api/analyses.js'
import { Overlay } from './Overlay.jsx'
import { Scrubber } from './Scrubber.jsx'

const NONE = []

/** The photo or clip and, in an SVG that shares its pixels, the skeleton of everybody in it; `isBare` without them. */
export function SubjectFigure({ subject, analysis, pointedJoints = NONE, isBare = false }) {
  const { image, clip, picture } = subject
  const size = { width: image?.width, height: image?.height }
  const src = shownUrl(analysis)

  const setPlayed = clip?.setVideo
  const setVideo = useCallback(
    (video) => {
      picture.current = video
      setPlayed(video)
    },
    [picture, setPlayed],
  )

  return (
    <figure className="figure">
      <div className="figure-frame">
        {clip ? (
          <video
            key={src}
            ref={setVideo}
            className="figure-photo"
            src={src}
            aria-label={analysis.name}
            muted
            playsInline
            preload="auto"
            {...size}
          />
        ) : (
          <img ref={picture} className="figure-photo" src={src} alt={analysis.name} {...size} />
        )}
        {image && !isBare && <Overlay subject={subject} pointedJoints={pointedJoints} />}
        {clip?.isBroken && <p className="figure-broken">This browser cannot play this clip. Its frames can be read.</p>}
      </div>
      {clip && <Scrubber clip={clip} />}
    </figure>
  )
}
