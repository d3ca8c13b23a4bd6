import { describeSilence } from './problem.js'

const UP = 'ok'

/**
 * What the API says of itself and its two neighbours: `[{ part, isUp, detail }]`, the API first.
 * A 503 from the API is an answer too: it names which part is down.
 */
export async function readHealth({ signal } = {}) {
  const response = await fetch('/api/health', { signal }).catch((error) => {
    if (error.name === 'AbortError') throw error
    return null
  })
  if (!response) return describeHealth(null, describeSilence().detail)
  const body = await response.json().catch(() => null)
  return body?.mongo ? describeHealth(body) : describeHealth(null, body?.detail)
}

/** Health body (or `null` and the reason why there is none) as lines for the status bar. */
export function describeHealth(body, reason = 'The API does not answer.') {
  if (!body) return [{ part: 'API', isUp: false, detail: reason }]
  return [
    { part: 'API', isUp: true, detail: 'answers' },
    describePart('MongoDB', body.mongo, body.details?.mongo),
    describePart('Pose', body.pose, body.details?.pose),
  ]
}

function describePart(part, state, { engine, device, reason, milliseconds } = {}) {
  const isUp = state === UP
  if (!isUp) return { part, isUp, detail: reason ? `${state}: ${reason}` : state }
  const answered = milliseconds === undefined ? 'answers' : `answers in ${milliseconds} ms`
  return { part, isUp, detail: engine ? `${engine} on ${device}` : answered }
}
