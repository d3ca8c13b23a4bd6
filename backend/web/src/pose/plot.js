import UPlot from 'uplot'

import { formatTime } from './timeline.js'

const HEIGHT_REM = 11.5

/**
 * A chart in `parent`, as wide as it is and following it. `times` in seconds; a curve is
 * `{ label, colour, values }`; `onSeek(index)` is called for the frame that is pressed.
 */
export function createPlot(parent, { times, curves, unit, onSeek, getIndex }) {
  const plot = new UPlot(
    describePlot(parent, curves, unit, getIndex),
    [times, ...curves.map(({ values }) => values)],
    parent,
  )
  const observer = new ResizeObserver(() => plot.setSize(sizeOf(parent)))
  observer.observe(parent)
  listen(plot, onSeek)
  return {
    plot,
    destroy: () => {
      observer.disconnect()
      plot.destroy()
    },
  }
}

/** Put the line, with its time, at the frame that the picture shows. */
export function markFrame({ plot }, index) {
  const seconds = plot.data[0][index] ?? 0
  const mark = plot.over.querySelector('.chart-mark')
  if (!mark) return
  const place = plot.valToPos(seconds, 'x')
  mark.style.transform = `translateX(${place}px)`
  mark.firstElementChild.textContent = formatTime(seconds)
  mark.classList.toggle('is-right', place > plot.over.clientWidth / 2)
}

function describePlot(parent, curves, unit, getIndex) {
  const style = getComputedStyle(parent)
  const axis = {
    stroke: style.getPropertyValue('--ink-soft'),
    font: `500 12px ${style.fontFamily}`,
    grid: { stroke: style.getPropertyValue('--line'), width: 1 },
    ticks: { show: false },
  }
  const format = unit === 'degrees' ? (value) => `${value}°` : String
  return {
    ...sizeOf(parent),
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { x: { time: false } },
    axes: [
      { ...axis, size: 30, values: (_, seconds) => seconds.map((value) => `${value} s`) },
      { ...axis, size: 52, values: (_, values) => values.map(format) },
    ],
    series: [{}, ...curves.map(({ label, colour }) => ({ label, stroke: colour, width: 2, points: { size: 5 } }))],
    hooks: {
      init: [addMark],
      draw: [(plot) => markFrame({ plot }, getIndex())],
    },
  }
}

function addMark(plot) {
  const mark = document.createElement('div')
  mark.className = 'chart-mark'
  const time = document.createElement('span')
  time.className = 'chart-time'
  mark.append(time)
  plot.over.append(mark)
}

function sizeOf(parent) {
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize)
  return { width: parent.clientWidth, height: HEIGHT_REM * rem }
}

function listen(plot, onSeek) {
  const seek = (event) => onSeek(plot.posToIdx(event.clientX - plot.over.getBoundingClientRect().left))
  plot.over.addEventListener('pointerdown', (event) => {
    plot.over.setPointerCapture(event.pointerId)
    seek(event)
  })
  plot.over.addEventListener('pointermove', (event) => event.buttons === 1 && seek(event))
}
