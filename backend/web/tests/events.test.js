import { afterEach, expect, it, vi } from 'vitest'

import { watchAnalysis } from '../src/api/events.js'
import { startFakeEvents } from './fake-events.js'

afterEach(() => vi.useRealTimers())

function watch(revision = 1) {
  const listener = { onStatus: vi.fn(), onProgress: vi.fn(), onLink: vi.fn() }
  return { ...listener, end: watchAnalysis({ id: 'a1', revision }, listener) }
}

it('passes on what the stream tells, and ends with the last state', () => {
  const [streams, watched] = [startFakeEvents(), watch()]
  expect(streams[0].url).toBe('/api/analyses/a1/events')
  streams[0].tell('progress', { framesDone: 3 })
  streams[0].tell('status', { status: 'done' })
  expect(watched.onProgress).toHaveBeenCalledWith({ framesDone: 3 })
  expect(watched.onStatus).toHaveBeenCalledWith({ status: 'done' })
  expect(streams[0].readyState).toBe(EventSource.CLOSED)
})

it('goes on after the failure of an attempt before the one that runs', () => {
  const [streams, watched] = [startFakeEvents(), watch(4)]
  streams[0].tell('status', { status: 'failed', revision: 3 })
  streams[0].tell('status', { status: 'received', revision: 4 })
  expect(watched.onStatus).not.toHaveBeenCalled()
  streams[0].tell('status', { status: 'done', revision: 6 })
  expect(watched.onStatus).toHaveBeenCalledOnce()
  expect(streams[0].readyState).toBe(EventSource.CLOSED)
})

it('leaves a broken connection to the browser, and says so meanwhile', () => {
  vi.useFakeTimers()
  const [streams, watched] = [startFakeEvents(), watch()]
  streams[0].lose(false)
  expect(watched.onLink).toHaveBeenLastCalledWith(false)
  vi.advanceTimersByTime(10_000)
  expect(streams).toHaveLength(1)
  streams[0].onopen()
  expect(watched.onLink).toHaveBeenLastCalledWith(true)
})

it('opens a new stream when the browser gave up, until it is ended', () => {
  vi.useFakeTimers()
  const [streams, watched] = [startFakeEvents(), watch()]
  streams[0].lose(true)
  vi.advanceTimersByTime(10_000)
  expect(streams).toHaveLength(2)
  streams[1].lose(true)
  watched.end()
  vi.advanceTimersByTime(10_000)
  expect(streams).toHaveLength(2)
})

it('opens a new stream when nothing was heard for long, and none after the end', () => {
  vi.useFakeTimers()
  const [streams, watched] = [startFakeEvents(), watch()]
  vi.advanceTimersByTime(30_000)
  streams[0].tell('ping', {})
  vi.advanceTimersByTime(30_000)
  expect(streams).toHaveLength(1)
  vi.advanceTimersByTime(15_000)
  expect(streams).toHaveLength(2)
  expect(streams[0].readyState).toBe(EventSource.CLOSED)
  expect(watched.onLink).toHaveBeenLastCalledWith(false)
  streams[1].tell('status', { status: 'done' })
  vi.advanceTimersByTime(100_000)
  expect(streams).toHaveLength(2)
})
