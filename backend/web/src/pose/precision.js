import { formatMeasure } from './measures.js'

const SURE = 0.8
const FAIR = 0.5

/**
 * How exact a measure is: '± 6°' where its error is known, else a word when its joints are not seen clearly.
 * Empty when there is nothing to say.
 */
export function describePrecision({ error, unit, confidence }) {
  if (Number.isFinite(error)) return formatError(error, unit)
  if (!Number.isFinite(confidence) || confidence >= SURE) return ''
  return confidence >= FAIR ? 'seen fairly well' : 'a rough guess'
}

function formatError(error, unit) {
  const value = unit === 'degrees' ? Math.max(1, Math.round(error)) : error
  return `± ${formatMeasure({ value, unit }).number}`
}
