/**
 * SVG paths of an angle opened clockwise from straight up: `arc` at `radius` and `arm` out to `reach`.
 * Degrees beyond ±180 are drawn as ±180.
 */
export function arcPath(degrees, { cx, cy, radius, reach }) {
  const turn = Math.max(-180, Math.min(180, degrees))
  const end = pointAt(turn, radius, cx, cy)
  const tip = pointAt(turn, reach, cx, cy)
  const sweep = turn >= 0 ? 1 : 0
  return {
    arc: `M${cx} ${cy - radius}A${radius} ${radius} 0 0 ${sweep} ${end.join(' ')}`,
    arm: `M${cx} ${cy}L${tip.join(' ')}`,
  }
}

function pointAt(degrees, distance, cx, cy) {
  const radians = (degrees * Math.PI) / 180
  return [cx + distance * Math.sin(radians), cy - distance * Math.cos(radians)].map((value) => Number(value.toFixed(2)))
}
