import { locate } from './analyses.js'
import { requestJson } from './request.js'

const PAGE_SIZE = 300
// The frames hold more: the world's points, which nothing here draws, and assumptions, which the summary has too.
const FIELDS = 'keypoints,measures,smoothed,box,score'

/** The frames of a clip, page by page as they arrive: arrays of `{ index, time_seconds, image, people }`. */
export async function* readFrames(id, { signal }) {
  let next = `${locate(id)}/frames?limit=${PAGE_SIZE}&fields=${FIELDS}`
  while (next) {
    const page = await requestJson(next, { signal })
    yield page.items
    next = page.next
  }
}
