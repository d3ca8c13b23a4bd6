import { describe, expect, it } from 'vitest'

import { parseProblem } from '../src/api/problem.js'
import { describeProxyError } from '../server/api-proxy.js'

const body = (change) => JSON.stringify({ type: 'about:blank', status: 422, ...change })

describe('parseProblem', () => {
  it('keeps title and detail of a problem with a type of its own', () => {
    const problem = parseProblem(422, body({ type: 'urn:x', title: 'Damaged photo', detail: 'It ends early.' }))
    expect(problem).toMatchObject({ title: 'Damaged photo', detail: 'It ends early.', status: 422 })
  })

  it('says a bare status phrase in plain words', () => {
    const problem = parseProblem(415, body({ title: 'Unsupported Media Type', detail: 'Send a photo.' }))
    expect(problem).toMatchObject({ title: 'This kind of file is not supported', detail: 'Send a photo.' })
  })

  it.each(['', '<html>Bad Gateway</html>', 'null', '[1]', '{"title": 7, "detail": {}}'])(
    'makes a title of the status when the body is %j',
    (text) => {
      expect(parseProblem(502, text)).toMatchObject({ title: 'A part of the stack is not reachable', detail: '' })
      expect(parseProblem(418, text).title).toBe('The request failed (418)')
    },
  )

  it('calls a problem temporary when trying again may help', () => {
    expect([0, 408, 429, 502, 503, 504].map((status) => parseProblem(status, '').isTemporary)).not.toContain(false)
    expect([400, 404, 413, 415, 422, 500].map((status) => parseProblem(status, '').isTemporary)).not.toContain(true)
  })
})

it.each([
  ['ECONNREFUSED', 502],
  ['ENOTFOUND', 502],
  ['ECONNRESET', 504],
])('a proxy target that ends with %s is answered with %i', (code, status) => {
  expect(describeProxyError({ code, message: 'x' })).toMatchObject({ status, title: expect.stringContaining('API') })
})
