const DEGREES = 'degrees'
const SHORT_UNITS = { seconds: 's', metres: 'm' }

/** 'knee_flexion_left' -> 'Left knee flexion'; a measure of both sides keeps its words. */
export function labelOfMeasure(name) {
  const { base, side } = splitSide(name)
  const words = [side, ...base.split('_')].filter(Boolean).join(' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** `{ value, unit }` as `{ number, unit }` to be written: '42°' has its unit in it, '1.30' 'shoulder widths' has not. */
export function formatMeasure({ value, unit }) {
  const number = Number.isInteger(value) && unit === DEGREES ? String(value) : value.toFixed(2)
  return unit === DEGREES ? { number: `${number}°`, unit: '' } : { number, unit: SHORT_UNITS[unit] ?? unit }
}

/** The API's reason with its joint names in plain words, and without the figures behind it. */
export function formatReason(reason) {
  const plain = reason
    .replace(/ \(confidence .*\)$/, '')
    .replace(/\b(?:left|right)_[a-z_]+\b/g, (name) => name.replaceAll('_', ' '))
  return plain.charAt(0).toUpperCase() + plain.slice(1)
}

export function isAngle({ value, unit }) {
  return value !== null && unit === DEGREES
}

function splitSide(name) {
  const match = /^(?:(left|right)_)?(.*?)(?:_(left|right))?$/.exec(name)
  return { base: match[2], side: match[1] ?? match[3] ?? '' }
}
