import './MeasureTable.css'

import { formatReason, jointsOfMeasure, labelOfMeasure } from '../pose/measures.js'
import { MeasureValue } from './MeasureValue.jsx'

/** Every measure with its value, or with the reason why there is none. Pointing at one marks its joints. */
export function MeasureTable({ measures, onPoint }) {
  return (
    <table className="measures">
      <caption>Measures</caption>
      <tbody>
        {Object.entries(measures).map(([name, measure]) => (
          <tr
            key={name}
            className={measure.value === null ? 'is-missing' : undefined}
            onPointerEnter={() => onPoint(jointsOfMeasure(name))}
            onPointerLeave={() => onPoint([])}
          >
            <th scope="row">
              {labelOfMeasure(name)}
              {measure.value === null && <span className="measure-reason">{formatReason(measure.reason)}</span>}
            </th>
            <td>
              <MeasureValue measure={measure} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
