const RELATIVE_STEPS = [
  ['minute', 60],
  ['hour', 3600],
  ['day', 86_400],
]
const RELATIVE_LIMIT_SECONDS = 6 * 86_400

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' })
const absolute = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' })
const day = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short' })
const dayOfYear = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' })
const exact = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short' })

/** '3 min. ago', 'yesterday', or the date when it is older than six days. Both times in milliseconds. */
export function describeAge(createdAt, now = Date.now()) {
  const seconds = Math.max(0, (now - new Date(createdAt).getTime()) / 1000)
  if (seconds < 60) return 'just now'
  if (seconds > RELATIVE_LIMIT_SECONDS) return absolute.format(new Date(createdAt))
  const [unit, size] = RELATIVE_STEPS.findLast((step) => seconds >= step[1])
  return relative.format(-Math.floor(seconds / size), unit)
}

/**
 * What an analysis is called: the name that somebody gave it, else when it was made; cameras name files IMG_2034.
 * Both times in milliseconds.
 */
export function titleOf({ name, filename, createdAt }, now = Date.now()) {
  return name !== filename ? name : describeDay(new Date(createdAt), new Date(now))
}

function describeDay(date, today) {
  const time = clock.format(date)
  if (date.toDateString() === today.toDateString()) return `Today, ${time}`
  const yesterday = new Date(today)
  yesterday.setDate(today.getDate() - 1)
  if (date.toDateString() === yesterday.toDateString()) return `Yesterday, ${time}`
  const format = date.getFullYear() === today.getFullYear() ? day : dayOfYear
  return `${format.format(date)}, ${time}`
}

export function describeMoment(createdAt) {
  return exact.format(new Date(createdAt))
}

/** 0 -> 'nobody found', 1 -> '1 person', 2 -> '2 people'. */
export function describePeople(count) {
  if (!count) return 'nobody found'
  return count === 1 ? '1 person' : `${count} people`
}

/** Bytes as people read them: '812 kB', '4.1 MB'. */
export function describeBytes(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}

/** Seconds ahead as people say them: '8 s', '2 min'. */
export function describeWait(seconds) {
  return seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`
}

/** What came of an analysis in the list: '2 people', 'clip, 1 person', 'failed', 'working'. */
export function describeOutcome({ kind, status, people }) {
  const outcome = { done: describePeople(people), failed: 'failed' }[status] ?? 'working…'
  return kind === 'clip' ? `clip, ${outcome}` : outcome
}
