import { labelOfMeasure } from './measures.js'
import { feetOf, readingLabel } from './readings.js'
import { seriesOf } from './timeline.js'

const FIRST_WITHOUT_KNEES = 2

// By their place; each is readable on the light and on the dark page.
const COLOURS = ['#1a8fb5', '#e0672f', '#2f9e6b', '#9a63d3', '#b98a00', '#d14d82', '#6b7f8c', '#7a8f1f']
const KNEES = 'Knees'

/**
 * The measures of one person that have a value in any frame: `[{ name, label, unit, group, colour, isFirst, values }]`,
 * `values` with a number or null a frame. In front come both knees, which the charts begin with (`isFirst`), then what
 * else riders read first, then the fullest. Without knees the charts begin with the first two.
 */
export function curvesOf(frames, personId, stance) {
  const { front, rear } = feetOf(stance)
  const knees = [`knee_flexion_${front}`, `knee_flexion_${rear}`]
  const found = [...unitsOf(frames, personId)]
    .map(([name, unit]) => describeCurve(name, unit, { values: seriesOf(frames, personId, name), stance, knees }))
    .filter(({ fullness }) => fullness > 0)
    .sort((a, b) => a.rank - b.rank || b.fullness - a.fullness)
  const firsts = found.filter(({ group }) => group === KNEES).length || FIRST_WITHOUT_KNEES
  return found.map((curve, place) => ({
    ...curve,
    colour: COLOURS[place % COLOURS.length],
    isFirst: place < firsts,
  }))
}

function describeCurve(name, unit, { values, stance, knees }) {
  const label = readingLabel(name, stance)
  const isKnee = knees.includes(name)
  return {
    name,
    unit,
    values,
    label: label ?? labelOfMeasure(name),
    // Knees bend by other amounts than hips turn: on one scale neither could be read.
    group: isKnee ? KNEES : unit,
    rank: isKnee ? knees.indexOf(name) : label ? knees.length : knees.length + 1,
    fullness: values.filter((value) => value !== null).length,
  }
}

/** Curves by what shares a scale: `[{ title, unit, curves }]`. */
export function chartsOf(curves) {
  const groups = [...new Set(curves.map(({ group }) => group))]
  return groups.map((group) => {
    const own = curves.filter((curve) => curve.group === group)
    const { unit } = own[0]
    return { title: group === unit ? unit : `${group}, ${unit}`, unit, curves: own }
  })
}

function unitsOf(frames, personId) {
  const units = new Map()
  for (const { people } of frames) {
    const person = people.find(({ id }) => id === personId)
    for (const [name, { unit }] of Object.entries(person?.measures ?? {})) units.set(name, unit)
  }
  return units
}
