import { describeSilence, parseProblem } from './problem.js'

const ACCEPT = 'application/json, application/problem+json'

/**
 * JSON answer of the API, `null` for 204.
 * Throws ProblemError for any other status or no answer, AbortError when `signal` says so.
 */
export async function requestJson(url, options = {}) {
  const response = await request(url, options)
  return response.status === 204 ? null : response.json()
}

/** The answer itself, for who needs its headers; throws as `requestJson` does. */
export async function request(url, { json, ...options } = {}) {
  const response = await send(url, json === undefined ? options : withBody(options, json))
  if (!response.ok) throw parseProblem(response.status, await response.text())
  return response
}

function withBody(options, json) {
  return { ...options, body: JSON.stringify(json), headers: { Accept: ACCEPT, 'Content-Type': 'application/json' } }
}

async function send(url, options) {
  try {
    return await fetch(url, { headers: { Accept: ACCEPT }, ...options })
  } catch (error) {
    if (error.name === 'AbortError') throw error
    throw describeSilence()
  }
}
