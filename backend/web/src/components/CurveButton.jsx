import { formatMeasure } from '../pose/measures.js'

/** Takes one curve into the chart or out of it. */
export function CurveButton({ curve, value, isChosen, onToggle }) {
  const { name, label, unit, colour } = curve
  return (
    <button type="button" className="curve" aria-pressed={isChosen} data-curve={name} onClick={() => onToggle(name)}>
      <span className="curve-key" style={{ '--curve': colour }} aria-hidden="true" />
      {label}
      <span className="curve-value">{value === null ? '–' : formatMeasure({ value, unit }).number}</span>
    </button>
  )
}
