import { colourOf } from '../pose/confidence.js'
import { opacityOf, radiusOf } from '../pose/overlay.js'
import { labelOf, sideOf } from '../pose/skeleton.js'

/** A joint that says its name and confidence when it is pointed at or has the focus. */
export function Joint({ keypoint, radius, ring, isPointed, tabIndex, onJoint }) {
  const { name, x, y, confidence } = keypoint
  const own = radiusOf(name, radius)
  const show = () => onJoint(keypoint)
  const hide = () => onJoint(null)
  const classes = ['joint', `is-${sideOf(name)}`, isPointed && 'is-pointed']
  return (
    <g
      className={classes.filter(Boolean).join(' ')}
      data-joint={name}
      role="img"
      aria-label={`${labelOf(name)}, ${Math.round(confidence * 100)} % sure`}
      tabIndex={tabIndex}
      onPointerEnter={show}
      onPointerLeave={hide}
      onFocus={show}
      onBlur={hide}
    >
      <circle className="joint-reach" cx={x} cy={y} r={own * 2} />
      <circle className="joint-ring" cx={x} cy={y} r={isPointed ? ring : own * 2.1} strokeWidth={own * 0.5} />
      <circle
        className="joint-dot"
        cx={x}
        cy={y}
        r={own}
        strokeWidth={own * 0.42}
        fill={colourOf(confidence)}
        opacity={opacityOf(confidence)}
      />
    </g>
  )
}
