import { boneWidth, opacityOf } from '../pose/overlay.js'

/** A bone as two lines: a pale one under the coloured one keeps it readable on dark cloth and on snow. */
export function Bone({ bone, radius }) {
  const { from, to } = bone
  const ends = { x1: from.x, y1: from.y, x2: to.x, y2: to.y }
  const width = boneWidth(bone, radius)
  return (
    <g className={`bone is-${bone.side}`} opacity={opacityOf(bone.confidence)}>
      <line className="bone-casing" strokeWidth={width * 1.7} {...ends} />
      <line className="bone-line" strokeWidth={width} {...ends} />
    </g>
  )
}
