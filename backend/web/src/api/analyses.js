import { request, requestJson } from './request.js'

const ROOT = '/api/analyses'
const PAGE_SIZE = 8

const FINAL_STATES = ['done', 'failed']

/**
 * Newest analyses first, `pages` pages of them: `{ items, hasMore }`.
 * An item is an analysis without its results; `people` is a count, null while there is no estimate.
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

/** One whole analysis with its `pose` (photo) or `summary` (clip). */
export function readAnalysis(id, { signal } = {}) {
  return requestJson(locate(id), { signal })
}

export function renameAnalysis(id, name) {
  return requestJson(locate(id), { method: 'PATCH', json: { name } })
}

/** Delete; resolves with the moment (milliseconds) until which it can be brought back. */
export async function deleteAnalysis(id) {
  const response = await request(locate(id), { method: 'DELETE' })
  return Date.parse(response.headers.get('Undo-Until') ?? '') || 0
}

export function restoreAnalysis(id) {
  return requestJson(`${locate(id)}/restore`, { method: 'POST' })
}

/** Put a failed analysis into the queue again. */
export function retryAnalysis(id) {
  return requestJson(`${locate(id)}/retry`, { method: 'POST' })
}

export function isFinished({ status }) {
  return FINAL_STATES.includes(status)
}

/** Address of what a browser shows of an analysis: the clip, the photo or its JPEG copy; null until that is made. */
export function shownUrl({ kind, links }) {
  return kind === 'clip' ? links.media : links.picture
}

/** Path of one analysis in the API. */
export function locate(id) {
  return `${ROOT}/${encodeURIComponent(id)}`
}
