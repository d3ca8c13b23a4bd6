import { describeSilence, parseProblem } from './problem.js'

/**
 * JSON answer of the API, `null` for 204.
 * Throws ProblemError for any other status or no answer, AbortError when `signal` says so.
 */
export async function requestJson(url, options = {}) {
  const response = await send(url, options)
  if (response.status === 204) return null
  const text = await response.text()
  if (!response.ok) throw parseProblem(response.status, text)
  return JSON.parse(text)
}

async function send(url, options) {
  try {
    return await fetch(url, { headers: { Accept: 'application/json, application/problem+json' }, ...options })
  } catch (error) {
    if (error.name === 'AbortError') throw error
    throw describeSilence()
  }
}
