const DEGREES = 'degrees'

const JOINTS = {
  knee_flexion: ['hip', 'knee', 'ankle'],
  hip_flexion: ['shoulder', 'hip', 'knee'],
  ankle_dorsiflexion: ['knee', 'ankle', 'foot_index'],
  trunk_lean: ['shoulder', 'hip'],
  stance_width: ['ankle', 'shoulder'],
}

/** 'knee_flexion_left' -> 'Left knee flexion'; a measure of both sides keeps its words. */
export function labelOfMeasure(name) {
  const { base, side } = splitSide(name)
  const words = [side, ...base.split('_')].filter(Boolean).join(' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** `{ value, unit }` as `{ number, unit }` to be written: '42°' has its unit in it, '1.30' 'shoulder widths' has not. */
export function formatMeasure({ value, unit }) {
  const number = Number.isInteger(value) && unit === DEGREES ? String(value) : value.toFixed(2)
  return unit === DEGREES ? { number: `${number}°`, unit: '' } : { number, unit }
}

/** The API's reason with its joint names in plain words. */
export function formatReason(reason) {
  const plain = reason.replace(/\b(?:left|right)_[a-z_]+\b/g, (name) => name.replaceAll('_', ' '))
  return plain.charAt(0).toUpperCase() + plain.slice(1)
}

export function isAngle({ value, unit }) {
  return value !== null && unit === DEGREES
}

/** Names of the joints a measure is made of, so that the drawing can point at them; empty when not known. */
export function jointsOfMeasure(name) {
  const { base, side } = splitSide(name)
  const sides = side ? [side] : ['left', 'right']
  return (JOINTS[base] ?? []).flatMap((joint) => sides.map((each) => `${each}_${joint}`))
}

function splitSide(name) {
  const match = /^(?:(left|right)_)?(.*?)(?:_(left|right))?$/.exec(name)
  return { base: match[2], side: match[1] ?? match[3] ?? '' }
}
