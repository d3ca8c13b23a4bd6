import { useEffect, useRef, useState } from 'react'

import { steadied } from '../pose/timeline.js'
import { useClip } from './useClip.js'

const KEEP_DELAY_MS = 300
const NOBODY = { id: null, frames: 0 }

/**
 * What is looked at in a finished analysis, the same for photo and clip:
 * `image` size in pixels, `people` to choose from, `shown` those in the picture right now, the chosen `person`
 * (null when not in this frame), `stance`, `choosePerson(id)`, `picture` a ref to the <img> or <video>, and for a
 * clip `clip` (see useClip), else null. `address` is `{ person, at }` as the address has them; changes go to `onKeep`.
 */
export function useSubject(analysis, address, onKeep) {
  // As it was at the start: `onKeep` changes the address.
  const [start] = useState(address)
  const [chosen, setChosen] = useState(Number(start.person) || null)
  const picture = useRef(null)
  const clip = useClip(analysis, start)
  const { image, people, shown } = clip ? describeClip(analysis, clip) : describePhoto(analysis)
  const { id: personId, stance } = people.find(({ id }) => id === chosen) ?? mostSeen(people)

  useKept(onKeep, { person: chosen && String(chosen), at: describeMoment(clip), isReady: !clip || clip.isComplete })

  return {
    image,
    people,
    shown,
    personId,
    person: shown.find(({ id }) => id === personId) ?? null,
    stance: stance?.value,
    choosePerson: setChosen,
    picture,
    clip,
  }
}

function describePhoto({ pose }) {
  const people = pose.people.map((person, index) => ({ ...person, id: index + 1 }))
  return { image: pose.image, people, shown: people }
}

function describeClip({ summary }, { frame }) {
  const shown = (frame?.people ?? []).map((person) => ({ ...steadied(person), assumptions: summary.assumptions }))
  return { image: frame?.image ?? null, people: summary.people, shown }
}

// Of a photo all are seen once, so it is the first one: the pose-service puts the surest first.
function mostSeen(people) {
  return people.reduce((best, person) => ((person.frames ?? 1) > (best.frames ?? 1) ? person : best), NOBODY)
}

function describeMoment(clip) {
  return clip && clip.index > 0 ? clip.seconds.toFixed(3) : null
}

// Browsers limit how often the address may change, and playing would change it with every frame.
function useKept(onKeep, { person, at, isReady }) {
  useEffect(() => {
    if (!isReady) return undefined
    const timer = setTimeout(() => onKeep({ person, at }), KEEP_DELAY_MS)
    return () => clearTimeout(timer)
  }, [onKeep, person, at, isReady])
}
