import { formatMeasure, isAngle } from '../pose/measures.js'
import { AngleDial } from './AngleDial.jsx'

export function MeasureValue({ measure }) {
  if (measure.value === null) {
    return (
      <>
        <span aria-hidden="true">–</span>
        <span className="visually-hidden">no value</span>
      </>
    )
  }
  const { number, unit } = formatMeasure(measure)
  return (
    <>
      <span className="measure-value">
        {isAngle(measure) && <AngleDial degrees={measure.value} />}
        {number}
      </span>
      {unit && <span className="measure-unit">{unit}</span>}
    </>
  )
}
