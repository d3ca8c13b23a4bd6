import { readingsOf } from './readings.js'

const NOBODY = { measures: {} }
const ROUNDING = 100

/**
 * Readings of two persons beside each other: `[{ label, measures: [first, second], difference }]`;
 * `difference` is second less first in the same unit, null when one of them has no value.
 */
export function compareReadings(first, second) {
  const others = readingsOf(second ?? NOBODY)
  return readingsOf(first ?? NOBODY).map(({ label, measure }, place) => {
    const other = others[place].measure
    return { label, measures: [measure, other], difference: subtract(measure, other) }
  })
}

function subtract(first, second) {
  if (first.value === null || second.value === null) return null
  return { value: Math.round((second.value - first.value) * ROUNDING) / ROUNDING, unit: second.unit }
}
