import { readingNames } from './readings.js'
import { measureOf, seekTime } from './timeline.js'

/**
 * Index of the frame in which a person is seen best: the most readings with a value, then the surest joints.
 * The first one of several; 0 when the person is in none.
 */
export function bestFrame(frames, personId) {
  let best = { index: 0, rank: -1 }
  frames.forEach(({ people }, index) => {
    const person = people.find(({ id }) => id === personId)
    const rank = person ? rankOf(person) : -1
    if (rank > best.rank) best = { index, rank }
  })
  return best.index
}

// The mean confidence is below 1, so it decides only between frames with as many readings.
function rankOf(person) {
  const names = readingNames(person.stance?.value)
  const readings = names.filter((name) => measureOf(person, name).value !== null).length
  const total = person.keypoints.reduce((sum, { confidence }) => sum + confidence, 0)
  return readings + total / (person.keypoints.length + 1)
}

/** Where a picture of each person of a clip is cut out: `[{ id, box, image, seconds }]`, well inside the best frame. */
export function portraitsOf(people, frames) {
  const times = frames.map((frame) => frame.time_seconds)
  return people.flatMap(({ id }) => {
    const index = bestFrame(frames, id)
    const person = frames[index]?.people.find((each) => each.id === id)
    return person ? [{ id, box: person.box, image: frames[index].image, seconds: seekTime(times, index) }] : []
  })
}

/** The frames in which a person is seen, as runs of `[first, one after the last]`. */
export function runsOf(frames, personId) {
  const runs = []
  frames.forEach(({ people }, index) => {
    if (!people.some(({ id }) => id === personId)) return
    const run = runs.at(-1)
    if (run?.[1] === index) run[1] = index + 1
    else runs.push([index, index + 1])
  })
  return runs
}

/** The people of a clip, the one who is seen longest first. */
export function byPresence(people) {
  return [...people].sort((a, b) => (b.frames ?? 0) - (a.frames ?? 0))
}

const JUMP = [
  ['airtime', 'Airtime'],
  ['jump_height', 'Jump height'],
  ['spin', 'Spin'],
]

/**
 * What the whole clip shows of one person's jump: `[{ name, label, measure }]`; a measure without a value has its
 * reason. Empty for an engine that does not look for jumps.
 */
export function jumpOf(person) {
  return JUMP.filter(([name]) => person[name]).map(([name, label]) => ({ name, label, measure: person[name] }))
}
