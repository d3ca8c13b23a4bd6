const SIDE_PIXELS = 112
// Some air around the person.
const MARGIN = 1.35

/**
 * The square of a picture around a box: `{ x, y, side }` in its pixels, as large as the box and inside of the picture
 * where it fits.
 */
export function squareAround([x0, y0, x1, y1], { width, height }) {
  const side = Math.min(Math.max(x1 - x0, y1 - y0) * MARGIN, width, height)
  const keepInside = (middle, length) => Math.max(0, Math.min(length - side, middle - side / 2))
  return { x: keepInside((x0 + x1) / 2, width), y: keepInside((y0 + y1) / 2, height), side }
}

/** A small picture of a person, cut out of an <img> or <video>: a Blob, or null where the browser cannot. */
export function cutPortrait(source, { box, image }) {
  const canvas = document.createElement('canvas')
  Object.assign(canvas, { width: SIDE_PIXELS, height: SIDE_PIXELS })
  const { x, y, side } = squareAround(box, image)
  canvas.getContext('2d').drawImage(source, x, y, side, side, 0, 0, SIDE_PIXELS, SIDE_PIXELS)
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/webp'))
}

/** Cut portraits out of a photo: yields `[id, blob]` for each wanted `{ id, box, image }`. */
export async function* cutFromPhoto(src, wanted) {
  const photo = new Image()
  photo.src = src
  await photo.decode()
  for (const each of wanted) yield [each.id, await cutPortrait(photo, each)]
}

/** The same from a clip, at the `seconds` of each. The video is one of its own: the one on the page stays where it is. */
export async function* cutFromClip(src, wanted) {
  const video = document.createElement('video')
  Object.assign(video, { src, muted: true, preload: 'auto', playsInline: true })
  try {
    for (const each of wanted) {
      await seek(video, each.seconds)
      yield [each.id, await cutPortrait(video, each)]
    }
  } finally {
    // Ends its download.
    video.removeAttribute('src')
    video.load()
  }
}

function seek(video, seconds) {
  return new Promise((resolve, reject) => {
    video.onseeked = resolve
    video.onerror = () => reject(video.error)
    video.currentTime = seconds
  })
}
