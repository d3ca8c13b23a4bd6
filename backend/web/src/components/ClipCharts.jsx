import './ClipCharts.css'

import { useMemo, useState } from 'react'

import { chartsOf, curvesOf } from '../pose/curves.js'
import { Chart } from './Chart.jsx'
import { CurveChoice } from './CurveChoice.jsx'

/** The measures of one person over the time of a clip. The line marks the frame in the picture; both move together. */
export default function ClipCharts({ clip, personId, stance }) {
  const { frames, times, index, seek, isComplete } = clip
  const curves = useMemo(() => curvesOf(frames, personId, stance), [frames, personId, stance])
  const [changed, setChanged] = useState({})
  const chosen = useMemo(() => curves.filter(({ name, isFirst }) => changed[name] ?? isFirst), [curves, changed])
  const charts = useMemo(() => chartsOf(chosen), [chosen])

  function toggle(name) {
    setChanged((before) => ({ ...before, [name]: !chosen.some((curve) => curve.name === name) }))
  }

  return (
    <section className="charts" aria-label="Charts over time">
      <h2 className="visually-hidden">Over time</h2>
      {!isComplete && <p className="charts-note">More frames are on their way.</p>}
      <CurveChoice curves={curves} chosen={chosen} index={index} onToggle={toggle} />
      {charts.map(({ title, unit, curves: drawn }) => (
        <Chart key={title} title={title} times={times} curves={drawn} unit={unit} index={index} onSeek={seek} />
      ))}
      {curves.length === 0 && <p className="charts-note">No measure of this person can be read from this clip.</p>}
    </section>
  )
}
