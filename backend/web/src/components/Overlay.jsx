import { useState } from 'react'

import { percentPlace, viewBoxOf } from '../pose/overlay.js'
import { labelOf } from '../pose/skeleton.js'
import { Skeleton } from './Skeleton.jsx'

const NONE = []

/** Everybody's skeleton over the picture; the joint that is pointed at says its name. */
export function Overlay({ subject, pointedJoints }) {
  const [joint, setJoint] = useState(null)
  const { image, shown, personId, choosePerson } = subject
  return (
    <>
      <svg className="figure-overlay" viewBox={viewBoxOf(image)} role="group" aria-label="Skeleton">
        {inFront(shown, personId).map((person) => (
          <Skeleton
            key={person.id}
            person={person}
            image={image}
            isChosen={person.id === personId}
            pointedJoints={person.id === personId ? pointedJoints : NONE}
            onJoint={setJoint}
            onChoose={() => choosePerson(person.id)}
          />
        ))}
      </svg>
      {joint && (
        <div className="figure-tip" role="tooltip" style={percentPlace(joint, image)}>
          <strong>{labelOf(joint.name)}</strong>
          {Math.round(joint.confidence * 100)} % sure
        </div>
      )}
    </>
  )
}

// SVG has no other depth than its order.
function inFront(people, id) {
  return [...people.filter((person) => person.id !== id), ...people.filter((person) => person.id === id)]
}
