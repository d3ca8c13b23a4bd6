import { formatMeasure } from '../pose/measures.js'
import { compareReadings } from '../pose/comparison.js'
import { MeasureValue } from './MeasureValue.jsx'

/** The readings of two persons and how far they are apart. */
export function ComparisonTable({ names, people }) {
  return (
    <table className="comparison-table">
      <caption className="visually-hidden">Measures side by side</caption>
      <thead>
        <tr>
          <th scope="col">Measure</th>
          {names.map((name, place) => (
            <th scope="col" key={place}>
              {name}
            </th>
          ))}
          <th scope="col">Difference</th>
        </tr>
      </thead>
      <tbody>
        {compareReadings(...people).map(({ label, measures, difference }) => (
          <tr key={label}>
            <th scope="row">{label}</th>
            {measures.map((measure, place) => (
              <td key={place}>
                <MeasureValue measure={measure} />
              </td>
            ))}
            <td>{difference ? formatMeasure(difference).number : '–'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
