import { locate } from './analyses.js'

const RETURN_MS = 2000

/**
 * Follow one analysis until it is over: `onStatus({ status, … })`, `onProgress({ framesDone, … })`, and
 * `onLink(isLinked)` when the connection is lost or comes back. Returns the function that ends it.
 *
 * EventSource returns by itself after a broken connection, but gives up after an answer that is no stream
 * (the proxy's 502 while the API starts): then a new one is opened. The API tells again what has passed.
 */
export function watchAnalysis(id, { onStatus, onProgress, onLink }) {
  let source
  let timer
  let isOver = false

  function open() {
    source = new EventSource(`${locate(id)}/events`)
    source.onopen = () => onLink(true)
    source.addEventListener('progress', (event) => onProgress(JSON.parse(event.data)))
    source.addEventListener('status', (event) => tellStatus(JSON.parse(event.data)))
    source.onerror = handleError
  }

  function tellStatus(change) {
    if (['done', 'failed', 'deleted'].includes(change.status)) end()
    onStatus(change)
  }

  function handleError() {
    if (isOver) return
    onLink(false)
    if (source.readyState !== EventSource.CLOSED) return
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
