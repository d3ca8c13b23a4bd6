import './Readings.css'

import { describeConfidence } from '../pose/confidence.js'
import { MeasureValue } from './MeasureValue.jsx'

/** What a rider wants to know first: each with its value, a sentence and how sure it is. */
export function Readings({ readings, onPoint }) {
  return (
    <ul className="readings" aria-label="Stance in short">
      {readings.map(({ label, name, measure, sentence }) => (
        <li
          key={name}
          className={measure.value === null ? 'reading is-missing' : 'reading'}
          data-measure={name}
          onPointerEnter={() => onPoint(measure.points ?? [])}
          onPointerLeave={() => onPoint([])}
        >
          <h2>{label}</h2>
          <div className="reading-value">
            <MeasureValue measure={measure} />
          </div>
          <p>{measure.value === null ? `Not to be seen here: ${lowerFirst(sentence)}.` : sentence}</p>
          {measure.value !== null && <p className="reading-sure">{describeConfidence(measure.confidence ?? 0)}</p>}
        </li>
      ))}
    </ul>
  )
}

function lowerFirst(text) {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
