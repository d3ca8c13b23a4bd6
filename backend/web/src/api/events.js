import { locate } from './analyses.js'

const RETURN_MS = 2000
// The API tells something every 15 s, a `ping` if nothing else.
const SILENCE_MS = 40_000

/**
 * Follow one analysis until it is over: `onStatus({ status, … })`, `onProgress({ framesDone, … })`, and
 * `onLink(isLinked)` when the connection is lost or comes back. Returns the function that ends it.
 *
 * EventSource returns by itself after a broken connection, but gives up after an answer that is no stream
 * (the proxy's 502 while the API starts), and does not notice a connection whose other end has vanished: then a new
 * one is opened. The API tells again what has passed; states up to `revision` are known, and the failure of an earlier
 * attempt among them is no end.
 */
export function watchAnalysis({ id, revision }, { onStatus, onProgress, onLink }) {
  let source
  let timer
  let isOver = false

  function open() {
    source = new EventSource(`${locate(id)}/events`)
    source.onopen = hear(() => onLink(true))
    source.addEventListener('ping', hear())
    source.addEventListener(
      'progress',
      hear((event) => onProgress(JSON.parse(event.data))),
    )
    source.addEventListener(
      'status',
      hear((event) => tellStatus(JSON.parse(event.data))),
    )
    source.onerror = handleError
    hear()()
  }

  function hear(handle = () => {}) {
    return (event) => {
      clearTimeout(timer)
      timer = setTimeout(handleSilence, SILENCE_MS)
      handle(event)
    }
  }

  function handleSilence() {
    source.close()
    onLink(false)
    open()
  }

  function tellStatus(change) {
    if (change.revision <= revision) return
    if (['done', 'failed', 'deleted'].includes(change.status)) end()
    onStatus(change)
  }

  function handleError() {
    if (isOver) return
    onLink(false)
    if (source.readyState !== EventSource.CLOSED) return
    clearTimeout(timer)
    timer = setTimeout(open, RETURN_MS)
  }

  function end() {
    isOver = true
    clearTimeout(timer)
    source.close()
  }

  open()
  return end
}
