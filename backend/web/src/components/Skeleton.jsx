import './Skeleton.css'

import { useState } from 'react'

import { isInPhoto, jointRadius, ringRadius } from '../pose/overlay.js'
import { bonesOf, jointsOf } from '../pose/skeleton.js'
import { Bone } from './Bone.jsx'
import { Joint } from './Joint.jsx'

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }

/** One person's bones and joints. One tab stop: the arrow keys walk from joint to joint. */
export function Skeleton({ person, image, isChosen, pointedJoints, onJoint, onChoose }) {
  const [current, setCurrent] = useState(0)
  const radius = jointRadius(image, person)
  const joints = jointsOf(person).filter((keypoint) => isInPhoto(keypoint, image))
  const [x0, y0, x1, y1] = person.box

  function handleKeyDown(event) {
    const step = STEPS[event.key]
    if (!step) return
    event.preventDefault()
    const next = (current + step + joints.length) % joints.length
    setCurrent(next)
    event.currentTarget.querySelectorAll('[data-joint]')[next].focus()
  }

  return (
    // The keys move the focus among the joints, which are the things that have it. Persons are chosen by the
    // buttons beside the picture; a click on one is the short way.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions, jsx-a11y/click-events-have-key-events
    <g
      className={isChosen ? 'skeleton' : 'skeleton is-other'}
      data-person={person.id}
      onKeyDown={handleKeyDown}
      onClick={onChoose}
    >
      {!isChosen && <rect className="skeleton-area" x={x0} y={y0} width={x1 - x0} height={y1 - y0} />}
      {bonesOf(person).map((bone) => (
        <Bone key={`${bone.from.name}-${bone.to.name}`} bone={bone} radius={radius} />
      ))}
      {joints.map((keypoint, index) => (
        <Joint
          key={keypoint.name}
          keypoint={keypoint}
          radius={radius}
          ring={ringRadius(image, radius)}
          isPointed={pointedJoints.includes(keypoint.name)}
          tabIndex={index === Math.min(current, joints.length - 1) ? 0 : -1}
          onJoint={onJoint}
        />
      ))}
    </g>
  )
}
