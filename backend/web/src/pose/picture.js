import { colourOf } from './confidence.js'
import { boneWidth, isInPhoto, jointRadius, opacityOf, radiusOf } from './overlay.js'
import { bonesOf, jointsOf, sideOf } from './skeleton.js'

const OTHER_OPACITY = 0.45
const CASING = 'rgb(8 22 31 / 42%)'

/** Save what is seen, the picture with its skeletons in the picture's own pixels, as NAME-pose.png. */
export async function savePicture(source, subject, name) {
  const canvas = document.createElement('canvas')
  Object.assign(canvas, { width: subject.image.width, height: subject.image.height })
  drawPicture(canvas.getContext('2d'), source, subject)
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'))
  if (!blob) throw new Error('The browser could not make the picture; it may be too large.')
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = `${name.replace(/\.\w{1,5}$/, '')}-pose.png`
  link.click()
  URL.revokeObjectURL(link.href)
}

/** Draw `source` (an <img> or <video>) and the people of `{ image, shown, personId }` on a 2D context. */
export function drawPicture(context, source, { image, shown, personId }) {
  context.drawImage(source, 0, 0, image.width, image.height)
  for (const person of shown) {
    const strength = person.id === personId ? 1 : OTHER_OPACITY
    const radius = jointRadius(image, person)
    for (const bone of bonesOf(person)) drawBone(context, bone, radius, strength)
    for (const joint of jointsOf(person)) if (isInPhoto(joint, image)) drawJoint(context, joint, radius, strength)
  }
}

function drawBone(context, bone, radius, strength) {
  const width = boneWidth(bone, radius)
  context.globalAlpha = opacityOf(bone.confidence) * strength
  context.lineCap = 'round'
  for (const [colour, share] of [
    [CASING, 1.7],
    [colourOfSide(bone.side), 1],
  ]) {
    Object.assign(context, { strokeStyle: colour, lineWidth: width * share })
    context.beginPath()
    context.moveTo(bone.from.x, bone.from.y)
    context.lineTo(bone.to.x, bone.to.y)
    context.stroke()
  }
}

function drawJoint(context, { name, x, y, confidence }, radius, strength) {
  const own = radiusOf(name, radius)
  context.globalAlpha = opacityOf(confidence) * strength
  Object.assign(context, {
    fillStyle: colourOf(confidence),
    strokeStyle: colourOfSide(sideOf(name)),
    lineWidth: own * 0.42,
  })
  context.beginPath()
  context.arc(x, y, own, 0, 2 * Math.PI)
  context.fill()
  context.stroke()
}

function colourOfSide(side) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${side}`).trim() || 'white'
}
