import { useCallback, useEffect, useMemo, useRef, useState } from 'react'

import { bestFrame, byPresence } from '../pose/clip-people.js'
import { steadied } from '../pose/timeline.js'
import { useClip } from './useClip.js'

const KEEP_DELAY_MS = 300
const NOBODY = { id: null }

/**
 * What is looked at in a finished analysis, the same for photo and clip:
 * `image` size in pixels, `people` to choose from, `shown` those in the picture right now, the chosen `person`
 * (null when not in this frame), `entry` what the list of people has of the chosen one, `stance`, `choosePerson(id)`,
 * `picture` a ref to the <img> or <video>, and for a clip `clip` (see useClip), else null.
 * `address` is `{ person, at }` as the address has them; changes go to `onKeep`.
 */
export function useSubject(analysis, address, onKeep) {
  // As it was at the start: `onKeep` changes the address.
  const [start] = useState(address)
  const [chosen, setChosen] = useState(Number(start.person) || null)
  const picture = useRef(null)
  const people = useMemo(() => listPeople(analysis), [analysis])
  // The first is the surest one of a photo, and the one who is seen longest in a clip.
  const entry = people.find(({ id }) => id === chosen) ?? people[0] ?? NOBODY
  const clip = useClip(analysis, { at: start.at, personId: entry.id })
  const { image, shown } = clip ? describeClip(analysis, clip) : { image: analysis.pose.image, shown: people }
  const choosePerson = useChoice(setChosen, clip)

  useKept(onKeep, { person: chosen && String(chosen), at: describeMoment(clip), isReady: !clip || clip.isComplete })

  return {
    image,
    people,
    shown,
    entry,
    personId: entry.id,
    person: shown.find(({ id }) => id === entry.id) ?? null,
    stance: entry.stance?.value,
    choosePerson,
    picture,
    clip,
  }
}

function listPeople({ pose, summary }) {
  return pose ? pose.people.map((person, index) => ({ ...person, id: index + 1 })) : byPresence(summary.people)
}

function describeClip({ summary }, { frame }) {
  const shown = (frame?.people ?? []).map((person) => ({ ...steadied(person), assumptions: summary.assumptions }))
  return { image: frame?.image ?? null, shown }
}

// Somebody who is not in this frame is shown where they are.
function useChoice(setChosen, clip) {
  const latest = useRef(clip)
  useEffect(() => {
    latest.current = clip
  })
  return useCallback(
    (personId) => {
      setChosen(personId)
      const { frame, frames, seek } = latest.current ?? {}
      if (frame && !frame.people.some(({ id }) => id === personId)) seek(bestFrame(frames, personId))
    },
    [setChosen],
  )
}

function describeMoment(clip) {
  return clip?.isMoved ? clip.seconds.toFixed(3) : null
}

// Browsers limit how often the address may change, and playing would change it with every frame.
function useKept(onKeep, { person, at, isReady }) {
  useEffect(() => {
    if (!isReady) return undefined
    const timer = setTimeout(() => onKeep({ person, at }), KEEP_DELAY_MS)
    return () => clearTimeout(timer)
  }, [onKeep, person, at, isReady])
}
