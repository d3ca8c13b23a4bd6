import './Readings.css'

import { pointing } from '../pose/pointing.js'
import { describePrecision } from '../pose/precision.js'
import { MeasureValue } from './MeasureValue.jsx'

/** What a rider wants to know first: each with its value, how exact it is, and a sentence. */
export function Readings({ readings, onPoint }) {
  return (
    <ul className="readings" aria-label="Stance in short">
      {readings.map(({ label, name, measure, sentence }) => (
        <li
          key={name}
          className={measure.value === null ? 'reading is-missing' : 'reading'}
          data-measure={name}
          {...pointing(measure, onPoint)}
        >
          <h2>{label}</h2>
          <div className="reading-value">
            <MeasureValue measure={measure} />
            {measure.value !== null && <span className="reading-precision">{describePrecision(measure)}</span>}
          </div>
          <p>{measure.value === null ? `Not measured: ${lowerFirst(sentence)}.` : sentence}</p>
        </li>
      ))}
    </ul>
  )
}

function lowerFirst(text) {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
