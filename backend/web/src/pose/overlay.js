import { isFineJoint } from './skeleton.js'

const SURE = 0.5
const FAINTEST = 0.12
const FINE = 0.55

/** 'x y width height' of an SVG whose user unit is one pixel of the photo. */
export function viewBoxOf(image) {
  return `0 0 ${image.width} ${image.height}`
}

/**
 * Radius of a joint in pixels of the photo: of the photo's size, and smaller for a rider who is small in it.
 */
export function jointRadius(image, person) {
  const forPhoto = Math.hypot(image.width, image.height) * 0.0085
  const [x0, y0, x1, y1] = person.box
  const forPerson = Math.hypot(x1 - x0, y1 - y0) * 0.013
  return Math.max(Math.min(forPhoto, forPerson), forPhoto * 0.2)
}

/** Radius of the ring that marks a joint: to be seen from afar, also on a rider who is small in the photo. */
export function ringRadius(image, radius) {
  return Math.max(radius * 2.1, Math.hypot(image.width, image.height) * 0.012)
}

/** Radius of one named joint: those of face and hands are smaller. */
export function radiusOf(name, radius) {
  return isFineJoint(name) ? radius * FINE : radius
}

/** Width of a bone's line in pixels of the photo. */
export function boneWidth(bone, radius) {
  return radius * 0.9 * (bone.isFine ? FINE : 1)
}

/** Opacity 0-1 of a joint or bone: full when it is sure, faded with the confidence below one half. */
export function opacityOf(confidence) {
  if (confidence >= SURE) return 1
  return FAINTEST + (confidence / SURE) * (0.55 - FAINTEST)
}

/** Place of a point of the photo in percent of the displayed photo: `{ left, top }` for CSS. */
export function percentPlace(point, image) {
  return { left: `${(point.x / image.width) * 100}%`, top: `${(point.y / image.height) * 100}%` }
}

/** True when the point lies within the photo; engines also place joints they had to guess outside of it. */
export function isInPhoto(point, image) {
  return point.x >= 0 && point.y >= 0 && point.x <= image.width && point.y <= image.height
}
