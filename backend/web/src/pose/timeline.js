const TOLERANCE_SECONDS = 0.002

/** Index of the frame that is shown at `seconds`: the last one that has begun; 0 before the first. */
export function frameAt(times, seconds) {
  let low = 0
  let high = times.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (times[middle] <= seconds + TOLERANCE_SECONDS) low = middle
    else high = middle - 1
  }
  return low
}

/** A moment well inside the frame: browsers round, and its very beginning may show the one before. */
export function seekTime(times, index) {
  const start = times[index]
  const end = times[index + 1] ?? start
  return start + (end - start) / 2
}

/** Values of one measure of one person over the frames; null where there is none. */
export function seriesOf(frames, personId, name) {
  return frames.map((frame) => {
    const person = frame.people.find(({ id }) => id === personId)
    return person ? measureOf(person, name).value : null
  })
}

/**
 * A measure of a person of a clip: its value is the smoothed one, which the neighbouring frames have steadied;
 * of a photo, the measure as it is. `{ value, unit, confidence?, reason? }`.
 */
export function measureOf(person, name) {
  const measure = person.measures[name] ?? { value: null, unit: '', reason: 'this engine does not measure it' }
  if (!person.smoothed) return measure
  const value = person.smoothed.measures[name] ?? null
  return value === null && !measure.reason
    ? { ...measure, value, reason: 'not steady around this frame' }
    : { ...measure, value }
}

/** The same person with every measure as `measureOf` gives it. */
export function steadied(person) {
  if (!person.smoothed) return person
  const measures = Object.fromEntries(Object.keys(person.measures).map((name) => [name, measureOf(person, name)]))
  return { ...person, measures }
}

/** Seconds as they are read on a clip: '0:04.93'. */
export function formatTime(seconds) {
  const minutes = Math.floor(seconds / 60)
  return `${minutes}:${(seconds - minutes * 60).toFixed(2).padStart(5, '0')}`
}

/** From one moment to another: '0:01.2–0:04.9'. Tenths are what a slider and an eye can tell apart. */
export function formatSpan(first, last) {
  return `${formatTenths(first)}–${formatTenths(last)}`
}

/** True for a number of seconds, as some measures of a clip have and others have not. */
export function isMoment(seconds) {
  return Number.isFinite(seconds)
}

function formatTenths(seconds) {
  const tenths = Math.round(seconds * 10)
  return `${Math.floor(tenths / 600)}:${((tenths % 600) / 10).toFixed(1).padStart(4, '0')}`
}
