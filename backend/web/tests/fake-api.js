import { vi } from 'vitest'

const HEALTHY = { status: 'ok', mongo: 'ok', pose: 'ok', details: { pose: { engine: 'mediapipe', device: 'cpu' } } }

/**
 * Answers in place of the API at the one door of this page to it, `fetch`. It keeps what it is given:
 * a deleted analysis is no longer listed. `isDown` makes every request fail as a dead proxy target does.
 */
export function startFakeApi(analyses = []) {
  const api = { analyses: [...analyses], isDown: false, requests: [] }
  vi.stubGlobal('fetch', async (url, { method = 'GET' } = {}) => {
    api.requests.push(`${method} ${url}`)
    return answer(api, method, new URL(url, 'http://page'))
  })
  return api
}

function answer(api, method, { pathname }) {
  if (api.isDown) return problem(502, 'The API is not reachable', 'It may still be starting.')
  if (pathname === '/api/health') return json(200, HEALTHY)
  if (pathname === '/api/analyses') return json(200, { items: api.analyses.map(summarise), next: null })
  return answerOne(api, method, pathname.split('/').at(-1))
}

function answerOne(api, method, id) {
  const found = api.analyses.find((analysis) => analysis.id === id)
  if (!found) return problem(404, 'Not Found', `There is no analysis ${id}.`)
  if (method === 'GET') return json(200, found)
  api.analyses = api.analyses.filter((analysis) => analysis !== found)
  return new Response(null, { status: 204 })
}

function summarise({ pose, ...rest }) {
  return { ...rest, people: pose ? pose.people.length : null }
}

function json(status, body) {
  return new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } })
}

function problem(status, title, detail) {
  return json(status, { type: 'about:blank', title, status, detail })
}
