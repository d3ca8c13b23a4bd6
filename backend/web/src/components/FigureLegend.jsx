import './FigureLegend.css'

import { SCALE } from '../pose/confidence.js'

/** What the colours of the drawing mean, and the switch that takes it away. */
export function FigureLegend({ isBare, onBare }) {
  return (
    <div className="figure-legend">
      <span className="legend-key is-left">Left side</span>
      <span className="legend-key is-right">Right side</span>
      <span className="legend-scale">
        Joints: unsure <span className="legend-ramp" style={{ background: SCALE }} aria-hidden="true" /> sure
      </span>
      <label className="figure-switch">
        <input type="checkbox" checked={!isBare} onChange={(event) => onBare(!event.target.checked)} />
        Skeleton
      </label>
    </div>
  )
}
