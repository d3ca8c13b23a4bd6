import { labelOfMeasure } from './measures.js'
import { readingLabel } from './readings.js'
import { seriesOf } from './timeline.js'

const OTHERS_FIRST = 2

// By their place; each is readable on the light and on the dark page.
const COLOURS = ['#1a8fb5', '#e0672f', '#2f9e6b', '#9a63d3', '#b98a00', '#d14d82', '#6b7f8c', '#7a8f1f']

/**
 * The measures of one person that have a value in any frame: `[{ name, label, unit, colour, isFirst, values }]`,
 * `values` with a number or null a frame. `isFirst` are those that riders read first, which come in front, and
 * the two fullest others.
 */
export function curvesOf(frames, personId, stance) {
  const found = [...unitsOf(frames, personId)].map(([name, unit]) => {
    const values = seriesOf(frames, personId, name)
    const label = readingLabel(name, stance)
    const fullness = values.filter((value) => value !== null).length
    return { name, unit, values, label: label ?? labelOfMeasure(name), isReading: label !== null, fullness }
  })
  const readings = found.filter(({ isReading, fullness }) => isReading && fullness > 0)
  return found
    .filter(({ fullness }) => fullness > 0)
    .sort((a, b) => b.isReading - a.isReading || (a.isReading ? 0 : b.fullness - a.fullness))
    .map((curve, place) => ({
      ...curve,
      colour: COLOURS[place % COLOURS.length],
      isFirst: place < readings.length + OTHERS_FIRST,
    }))
}

/** Curves by their unit, for each unit has an axis of its own: `[{ unit, curves }]`. */
export function chartsOf(curves) {
  const units = [...new Set(curves.map(({ unit }) => unit))]
  return units.map((unit) => ({ unit, curves: curves.filter((curve) => curve.unit === unit) }))
}

function unitsOf(frames, personId) {
  const units = new Map()
  for (const { people } of frames) {
    const person = people.find(({ id }) => id === personId)
    for (const [name, { unit }] of Object.entries(person?.measures ?? {})) units.set(name, unit)
  }
  return units
}
