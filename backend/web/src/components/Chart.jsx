import 'uplot/dist/uPlot.min.css'

import { useEffect, useRef } from 'react'

import { useColourScheme } from '../hooks/useColourScheme.js'
import { createPlot, markFrame } from '../pose/plot.js'

/** Curves of one unit over the seconds of a clip. A press or a drag on it goes to that frame. */
export function Chart({ title, times, curves, unit, index, onSeek }) {
  const frame = useRef(null)
  const plot = useRef(null)
  const latest = useRef({ index, onSeek })
  const scheme = useColourScheme()

  useEffect(() => {
    latest.current = { index, onSeek }
    if (plot.current) markFrame(plot.current, index)
  }, [index, onSeek])

  useEffect(() => {
    const seek = (next) => latest.current.onSeek(next)
    plot.current = createPlot(frame.current, {
      times,
      curves,
      unit,
      onSeek: seek,
      getIndex: () => latest.current.index,
    })
    return () => {
      plot.current.destroy()
      plot.current = null
    }
  }, [times, curves, unit, scheme])

  const names = curves.map(({ label }) => label).join(', ')
  return (
    <figure className="chart">
      <figcaption>{title}</figcaption>
      <div ref={frame} className="chart-frame" role="img" aria-label={`${names} in ${unit} over time`} />
    </figure>
  )
}
