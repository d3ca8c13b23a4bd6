import './Jump.css'

import { formatMeasure, formatReason } from '../pose/measures.js'
import { describePrecision } from '../pose/precision.js'
import { formatSpan, isMoment } from '../pose/timeline.js'

/** Airtime, height and spin of a clip. What was not measured is named with its reason, each reason once. */
export function Jump({ jump, onSeekTime }) {
  const known = jump.filter(({ measure }) => measure.value !== null)
  const reasons = groupByReason(jump.filter(({ measure }) => measure.value === null))
  return (
    <section className="jump" aria-label="Jump">
      {known.length > 0 && (
        <dl className="jump-values">
          {known.map(({ name, label, measure }) => (
            <div key={name} data-jump={name}>
              <dt>{label}</dt>
              <dd>
                <JumpValue measure={measure} onSeekTime={onSeekTime} />
              </dd>
            </div>
          ))}
        </dl>
      )}
      {reasons.map(({ reason, labels }) => (
        <p key={reason} className="jump-missing">
          <strong>{labels.join(', ')}:</strong> not measured. {reason}.
        </p>
      ))}
    </section>
  )
}

function JumpValue({ measure, onSeekTime }) {
  const { number, unit } = formatMeasure(measure)
  const { start_seconds: start, end_seconds: end } = measure
  return (
    <>
      <span className="jump-number">
        {number} {unit}
      </span>
      {Number.isFinite(measure.error) && <span className="jump-precision">{describePrecision(measure)}</span>}
      {isMoment(start) && (
        <button type="button" className="jump-moment" onClick={() => onSeekTime(start)}>
          {formatSpan(start, end)}
        </button>
      )}
    </>
  )
}

function groupByReason(missing) {
  const groups = new Map()
  for (const { label, measure } of missing) {
    const reason = formatReason(measure.reason ?? 'the clip does not show it')
    groups.set(reason, [...(groups.get(reason) ?? []), label])
  }
  return [...groups].map(([reason, labels]) => ({ reason, labels }))
}
