import { locate } from './analyses.js'
import { requestJson } from './request.js'

const PAGE_SIZE = 300

/** The frames of a clip, page by page as they arrive: arrays of `{ index, time_seconds, image, people }`. */
export async function* readFrames(id, { signal }) {
  let next = `${locate(id)}/frames?limit=${PAGE_SIZE}&fields=keypoints,measures,box,score`
  while (next) {
    const page = await requestJson(next, { signal })
    yield page.items
    next = page.next
  }
}
