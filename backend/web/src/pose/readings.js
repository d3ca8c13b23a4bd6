import { formatReason } from './measures.js'

const CENTRE = 0.5
// Less than the error of a measure is "in line" or "centred"; these where its error is not known.
const LEVEL_DEGREES = 10
const CENTRE_WIDTH = 0.06

const KNEE_WORDS = [
  [15, 'almost straight'],
  [45, 'slightly bent'],
  [75, 'well bent'],
  [105, 'bent to about a right angle'],
  [Infinity, 'deeply folded'],
]

/**
 * What a rider wants to know first. `measureOf(front, rear)` is the API's name of the measure; `say(value, { stance, error })`
 * puts it in one sentence.
 */
const READINGS = [
  { label: 'Front knee', measureOf: (front) => `knee_flexion_${front}`, say: sayKnee },
  { label: 'Rear knee', measureOf: (front, rear) => `knee_flexion_${rear}`, say: sayKnee },
  { label: 'Shoulders against the board', measureOf: () => 'shoulder_rotation', say: sayRotation('Shoulders') },
  { label: 'Hips against the board', measureOf: () => 'hip_rotation', say: sayRotation('Hips') },
  { label: 'Fore–aft balance', measureOf: () => 'fore_aft_balance', say: sayBalance },
  { label: 'Inclination', measureOf: () => 'inclination', say: sayInclination },
]

/** Which foot is in front: `{ front, rear }`, each left or right. */
export function feetOf(stance) {
  return stance === 'goofy' ? { front: 'right', rear: 'left' } : { front: 'left', rear: 'right' }
}

/** The readings of a person: `[{ label, name, measure, sentence }]`; `sentence` says why when there is no value. */
export function readingsOf(person) {
  const stance = person.stance?.value ?? 'regular'
  const { front, rear } = feetOf(stance)
  return READINGS.map(({ label, measureOf, say }) => {
    const name = measureOf(front, rear)
    const measure = person.measures[name] ?? { value: null, unit: '', reason: 'this engine does not measure it' }
    const sentence =
      measure.value === null ? formatReason(measure.reason) : say(measure.value, { stance, error: measure.error })
    return { label, name, measure, sentence }
  })
}

/** Names of the measures behind the readings, for a stance. */
export function readingNames(stance) {
  const { front, rear } = feetOf(stance)
  return READINGS.map(({ measureOf }) => measureOf(front, rear))
}

/** The rider's name of a measure ('Front knee'), or null when it is not among the readings. */
export function readingLabel(name, stance) {
  const place = readingNames(stance).indexOf(name)
  return place < 0 ? null : READINGS[place].label
}

/** How the stance is known, as a sentence. */
export function describeStance({ value, source } = {}) {
  if (!value) return ''
  const foot = `${feetOf(value).front} foot in front`
  const reasons = {
    given: `${foot}, as you said.`,
    guessed: `${foot}: guessed from where the head looks.`,
    assumed: `${foot}: assumed, the picture does not show it.`,
  }
  const words = reasons[source] ?? `${foot}.`
  return `${value.charAt(0).toUpperCase()}${value.slice(1)}, ${words}`
}

/** Why measures have no value: `[{ reason, names }]`, each reason once. */
export function unseenOf(measures) {
  const byReason = new Map()
  for (const [name, { value, reason }] of Object.entries(measures)) {
    if (value !== null) continue
    const words = formatReason(reason)
    byReason.set(words, [...(byReason.get(words) ?? []), name])
  }
  return [...byReason].map(([reason, names]) => ({ reason, names }))
}

function sayKnee(degrees) {
  const [, words] = KNEE_WORDS.find(([limit]) => degrees < limit)
  return `The knee is ${words}.`
}

// Seen from above, counter-clockwise turns the chest of a regular rider to the front and that of a goofy one back.
function sayRotation(part) {
  return (degrees, { stance, error }) => {
    if (Math.abs(degrees) < (error ?? LEVEL_DEGREES)) return `${part} are in line with the board.`
    const isOpen = degrees > 0 === (stance !== 'goofy')
    const where = isOpen ? 'open, the chest turned to the nose' : 'closed, the chest turned to the tail'
    return `${part} are ${where} of the board.`
  }
}

function sayBalance(share, { error }) {
  const place = share - CENTRE
  if (Math.abs(place) < (error ?? CENTRE_WIDTH)) return 'The weight is centred between the feet.'
  const foot = place > 0 ? 'front' : 'rear'
  const beyond = Math.abs(place) > CENTRE ? `beyond the ${foot} foot` : `nearer to the ${foot} foot`
  return `The weight is ${beyond} (0 rear foot, 1 front foot).`
}

function sayInclination(degrees, { error }) {
  if (Math.abs(degrees) < (error ?? LEVEL_DEGREES)) return 'The body stands upright over the board.'
  return `The body leans out over the ${degrees > 0 ? 'toe' : 'heel'} edge.`
}
