import { describeSilence, parseProblem } from './problem.js'
import { requestJson } from './request.js'

const ROOT = '/api/analyses'
const PAGE_SIZE = 8

/**
 * Newest analyses first, `pages` pages of them: `{ items, hasMore }`.
 * An item is `{ id, filename, createdAt, status, people }`; `people` is a count, null while there is no estimate.
 */
export async function listAnalyses({ pages, signal }) {
  let next = `${ROOT}?limit=${PAGE_SIZE}`
  const items = []
  for (let page = 0; next && page < pages; page += 1) {
    const answer = await requestJson(next, { signal })
    items.push(...answer.items)
    next = answer.next
  }
  return { items, hasMore: Boolean(next) }
}

/** One whole analysis with its `pose`. */
export function readAnalysis(id, { signal } = {}) {
  return requestJson(`${ROOT}/${encodeURIComponent(id)}`, { signal })
}

export function deleteAnalysis(id) {
  return requestJson(`${ROOT}/${encodeURIComponent(id)}`, { method: 'DELETE' })
}

/** Address of the photo as it was uploaded. */
export function mediaUrl(id) {
  return `${ROOT}/${encodeURIComponent(id)}/media`
}

/**
 * Send one photo and wait for its analysis. `onProgress` gets the sent fraction, 0-1.
 * XMLHttpRequest, because fetch cannot tell how much of an upload was sent.
 */
export function uploadAnalysis(file, { onProgress, signal }) {
  const form = new FormData()
  form.append('media', file, file.name)
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', ROOT)
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total)
    request.upload.onload = () => onProgress(1)
    request.onload = () => settle(request, resolve, reject)
    request.onerror = () => reject(describeSilence())
    request.onabort = () => reject(new DOMException('The upload was cancelled', 'AbortError'))
    signal.addEventListener('abort', () => request.abort(), { once: true })
    request.send(form)
  })
}

function settle(request, resolve, reject) {
  if (request.status === 201) resolve(JSON.parse(request.responseText))
  else reject(parseProblem(request.status, request.responseText))
}
