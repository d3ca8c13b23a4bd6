import './MeasureTable.css'

import { formatReason, labelOfMeasure } from '../pose/measures.js'
import { pointing } from '../pose/pointing.js'
import { describePrecision } from '../pose/precision.js'
import { MeasureValue } from './MeasureValue.jsx'

/** Every measure with its value, or with the reason why there is none. Pointing at one marks its joints. */
export function MeasureTable({ measures, onPoint }) {
  return (
    <table className="measures">
      <caption className="visually-hidden">All measures</caption>
      <tbody>
        {Object.entries(measures).map(([name, measure]) => (
          <tr key={name} className={measure.value === null ? 'is-missing' : undefined} {...pointing(measure, onPoint)}>
            <th scope="row">
              {labelOfMeasure(name)}
              <span className="measure-reason">
                {measure.value === null ? formatReason(measure.reason) : describePrecision(measure)}
              </span>
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
