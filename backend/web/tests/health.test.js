import { expect, it, vi } from 'vitest'

import { describeHealth, readHealth } from '../src/api/health.js'

it('tells the parts apart and names the engine', () => {
  const parts = describeHealth({
    mongo: 'down',
    pose: 'ok',
    details: {
      mongo: { reason: 'no answer within 2 s' },
      pose: { engine: 'mediapipe', device: 'cpu', milliseconds: 4 },
    },
  })
  expect(parts).toEqual([
    { part: 'API', isUp: true, detail: 'answers' },
    { part: 'MongoDB', isUp: false, detail: 'down: no answer within 2 s' },
    { part: 'Pose', isUp: true, detail: 'mediapipe on cpu' },
  ])
})

it('reads a 503 of the API as an answer', async () => {
  vi.stubGlobal('fetch', async () => new Response('{"mongo": "down", "pose": "ok"}', { status: 503 }))
  expect((await readHealth()).map((part) => part.isUp)).toEqual([true, false, true])
})

it('says that the API is down when the proxy cannot reach it', async () => {
  vi.stubGlobal('fetch', async () => new Response('{"title": "x", "detail": "It may be starting."}', { status: 502 }))
  expect(await readHealth()).toEqual([{ part: 'API', isUp: false, detail: 'It may be starting.' }])
})

it('says so when nothing answers at all', async () => {
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')))
  expect((await readHealth())[0]).toMatchObject({ part: 'API', isUp: false })
})
