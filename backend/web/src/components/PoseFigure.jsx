import './PoseFigure.css'

import { useState } from 'react'

import { mediaUrl } from '../api/analyses.js'
import { percentPlace, viewBoxOf } from '../pose/overlay.js'
import { labelOf } from '../pose/skeleton.js'
import { Skeleton } from './Skeleton.jsx'

/** The photo and, in an SVG that shares its pixels, the skeleton of everybody in it. */
export function PoseFigure({ analysis, personIndex, pointedJoints, onPerson }) {
  const [joint, setJoint] = useState(null)
  const [isBare, setIsBare] = useState(false)
  const { pose } = analysis
  const image = pose?.image
  const people = pose?.people ?? []

  return (
    <figure className="figure">
      <div className="figure-frame">
        <img
          className="figure-photo"
          src={mediaUrl(analysis.id)}
          alt={analysis.filename}
          width={image?.width}
          height={image?.height}
        />
        {image && !isBare && (
          <svg className="figure-overlay" viewBox={viewBoxOf(image)} role="group" aria-label="Skeleton">
            {people.map((person, index) => (
              <Skeleton
                key={index}
                person={person}
                image={image}
                isChosen={index === personIndex}
                pointedJoints={index === personIndex ? pointedJoints : []}
                onJoint={setJoint}
                onChoose={() => onPerson(index)}
              />
            ))}
          </svg>
        )}
        {joint && !isBare && (
          <div className="figure-tip" role="tooltip" style={percentPlace(joint, image)}>
            <strong>{labelOf(joint.name)}</strong>
            {Math.round(joint.confidence * 100)} % sure
          </div>
        )}
      </div>
      <figcaption className="figure-legend">
        <span className="legend-key is-left">Left side</span>
        <span className="legend-key is-right">Right side</span>
        <span className="legend-key is-unsure">Unsure</span>
        <label className="figure-switch">
          <input type="checkbox" checked={!isBare} onChange={(event) => setIsBare(!event.target.checked)} />
          Skeleton
        </label>
      </figcaption>
    </figure>
  )
}
