import { vi } from 'vitest'

/** Streams in place of EventSource: `streams` in the order they were opened; `tell(name, data)`, `lose(isForGood)`. */
export function startFakeEvents() {
  const streams = []
  class FakeEventSource {
    static CLOSED = 2
    readyState = 1
    listeners = {}
    constructor(url) {
      this.url = url
      streams.push(this)
    }
    addEventListener(name, listener) {
      this.listeners[name] = listener
    }
    close() {
      this.readyState = FakeEventSource.CLOSED
    }
    tell(name, data) {
      this.listeners[name]?.({ data: JSON.stringify(data) })
    }
    lose(isForGood) {
      this.readyState = isForGood ? FakeEventSource.CLOSED : 0
      this.onerror()
    }
  }
  vi.stubGlobal('EventSource', FakeEventSource)
  return streams
}
