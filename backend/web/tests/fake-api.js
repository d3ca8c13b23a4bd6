import { vi } from 'vitest'

const HEALTHY = { status: 'ok', mongo: 'ok', pose: 'ok', details: { pose: { engine: 'mediapipe', device: 'cpu' } } }

/**
 * Answers in place of the API at the one door of this page to it, `fetch`. It keeps what it is given:
 * a deleted analysis is no longer listed. `isDown` makes every request fail as a dead proxy target does.
 */
export function startFakeApi(analyses = [], frames = {}) {
  const api = { analyses: [...analyses], deleted: [], frames, isDown: false, requests: [] }
  vi.stubGlobal('fetch', async (url, { method = 'GET', body } = {}) => {
    api.requests.push(`${method} ${url}`)
    return answer(api, method, new URL(url, 'http://page'), body)
  })
  return api
}

function answer(api, method, { pathname, searchParams }, body) {
  if (api.isDown) return problem(502, 'The API is not reachable', 'It may still be starting.')
  if (pathname === '/api/health') return json(200, HEALTHY)
  if (pathname === '/api/analyses') return json(200, { items: api.analyses.map(summarise), next: null })
  const [, , , id, action = ''] = pathname.split('/')
  if (action === 'restore') return restore(api, id)
  const found = api.analyses.find((analysis) => analysis.id === id)
  if (!found) return problem(404, 'Not Found', `There is no analysis ${id}.`)
  return ANSWERS[`${method} ${action}`.trim()](api, found, body ?? searchParams.get('fields'))
}

const ANSWERS = {
  GET: (api, found) => json(200, found),
  'GET frames': (api, found, fields) =>
    json(200, { items: choose(api.frames[found.id], fields.split(',')), next: null }),
  PATCH: (api, found, body) => json(200, Object.assign(found, JSON.parse(body))),
  'POST retry': (api, found) => json(202, Object.assign(found, { status: 'received', error: undefined })),
  DELETE: (api, found) => {
    api.analyses = api.analyses.filter((analysis) => analysis !== found)
    api.deleted.push(found)
    return new Response(null, { status: 204, headers: { 'Undo-Until': new Date(Date.now() + 600_000).toISOString() } })
  },
}

// As the API does: what is large is there only when it is asked for.
function choose(frames, fields) {
  const left = ['keypoints', 'world', 'measures', 'smoothed', 'assumptions', 'box', 'score'].filter(
    (name) => !fields.includes(name),
  )
  const strip = (person) => Object.fromEntries(Object.entries(person).filter(([name]) => !left.includes(name)))
  return frames.map((frame) => ({ ...frame, people: frame.people.map(strip) }))
}

function restore(api, id) {
  const found = api.deleted.find((analysis) => analysis.id === id)
  if (!found) return problem(404, 'Not Found', 'Its time is over.')
  api.analyses.push(found)
  return json(200, found)
}

function summarise({ pose, summary, ...rest }) {
  return { ...rest, people: (pose ?? summary)?.people.length ?? null }
}

function json(status, body) {
  return new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } })
}

function problem(status, title, detail) {
  return json(status, { type: 'about:blank', title, status, detail })
}
