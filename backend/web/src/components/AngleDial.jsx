import { arcPath } from '../pose/arc.js'

/** A small picture of a limb bent by so many degrees, and how it would go on straight. The number is beside it. */
export function AngleDial({ degrees }) {
  const { arc, arm } = arcPath(degrees, { cx: 5, cy: 16, radius: 8, reach: 14 })
  return (
    <svg className="dial" viewBox="0 0 22 32" aria-hidden="true">
      <path className="dial-base" d="M5 16V2" />
      <path className="dial-arc" d={arc} />
      <path className="dial-arm" d="M5 30V16" />
      <path className="dial-arm" d={arm} />
      <circle className="dial-hinge" cx="5" cy="16" r="2.2" />
    </svg>
  )
}
