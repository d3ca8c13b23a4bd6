import { fireEvent, render, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, it, vi } from 'vitest'

import { AnalysisView } from '../src/components/AnalysisView.jsx'
import { startFakeApi } from './fake-api.js'
import { makeClip, makeFrames } from './people.js'

// Drawn on a canvas, which jsdom has not: the browser tests look at it.
vi.mock('../src/components/Chart.jsx', () => ({
  Chart: ({ curves, index, onSeek }) => (
    <button type="button" data-index={index} onClick={() => onSeek(3)}>
      Chart of {curves.map(({ label, values }) => `${label} ${values.join(' ')}`).join(', ')}
    </button>
  ),
}))

async function showClip(query = '', frames = makeFrames(), people = null) {
  const clip = makeClip()
  if (people) clip.summary.people = people
  startFakeApi([clip], { [clip.id]: frames })
  const route = { params: new URLSearchParams(query), keep: vi.fn() }
  render(<AnalysisView analysis={clip} isLinked route={route} onChange={() => {}} onDelete={() => {}} />)
  const slider = await screen.findByRole('slider', { name: 'Frame' })
  return { route, slider, chart: await screen.findByRole('button', { name: /^Chart of/ }) }
}
const knee = () => document.querySelector('[data-measure=knee_flexion_left]')

it('shows the steadied measures of the frame, and the video goes to its middle', async () => {
  const { slider } = await showClip()
  expect(knee()).toHaveTextContent('Rear knee41°')
  expect(screen.getByText('the camera stands still')).toBeInTheDocument()
  fireEvent.change(slider, { target: { value: '2' } })
  expect(knee()).toHaveTextContent('61°')
  expect(slider).toHaveAttribute('aria-valuetext', 'frame 3 of 5, 0.20 seconds')
  expect(document.querySelector('figure video').currentTime).toBeCloseTo(0.25)
})

it('walks frame by frame and stops at the ends', async () => {
  const { slider } = await showClip()
  expect(screen.getByRole('button', { name: 'Previous frame' })).toBeDisabled()
  for (let step = 0; step < 4; step += 1) await userEvent.click(screen.getByRole('button', { name: 'Next frame' }))
  expect(slider).toHaveValue('4')
  expect(screen.getByRole('button', { name: 'Next frame' })).toBeDisabled()
})

it('moves the charts with the frame, and the frame with the charts', async () => {
  const { slider, chart } = await showClip()
  expect(chart).toHaveTextContent('Chart of Rear knee 41 51 61 71 81')
  fireEvent.change(slider, { target: { value: '1' } })
  expect(chart).toHaveAttribute('data-index', '1')
  await userEvent.click(chart)
  expect(slider).toHaveValue('3')
  expect(knee()).toHaveTextContent('71°')
})

it('takes a measure out of the chart', async () => {
  await showClip()
  await userEvent.click(screen.getByRole('button', { name: /^Rear knee/, pressed: true }))
  expect(screen.queryByRole('button', { name: /^Chart of/ })).toBeNull()
})

it('begins at the moment that the address names, and keeps the address at the frame', async () => {
  const { route, slider } = await showClip('at=0.3')
  await waitFor(() => expect(slider).toHaveValue('3'))
  fireEvent.change(slider, { target: { value: '4' } })
  await waitFor(() => expect(route.keep).toHaveBeenLastCalledWith({ person: null, at: '0.400' }))
})

it('says when the person is not in the frame', async () => {
  const frames = makeFrames()
  frames[1].people = []
  const { slider } = await showClip('', frames)
  fireEvent.change(slider, { target: { value: '1' } })
  expect(screen.getByText('This person is not seen in this frame.')).toBeInTheDocument()
})

it('lets the frames of a clip be read that the browser cannot play', async () => {
  const { slider } = await showClip()
  fireEvent.error(document.querySelector('figure video'))
  expect(screen.getByText(/cannot play this clip/)).toBeInTheDocument()
  expect(screen.getByRole('button', { name: 'Play' })).toBeDisabled()
  fireEvent.change(slider, { target: { value: '2' } })
  expect(knee()).toHaveTextContent('61°')
})

it('opens on the best frame, and leaves the address alone until somebody moves', async () => {
  const frames = makeFrames()
  for (const joint of frames[2].people[0].keypoints) joint.confidence = 0.97
  const { route, slider } = await showClip('', frames)
  expect(slider).toHaveValue('2')
  expect(document.querySelector('figure video').currentTime).toBeCloseTo(0.25)
  await waitFor(() => expect(route.keep).toHaveBeenLastCalledWith({ person: null, at: null }))
})

it('begins at the start where the address says so', async () => {
  const frames = makeFrames()
  for (const joint of frames[2].people[0].keypoints) joint.confidence = 0.97
  const { slider } = await showClip('at=0.000', frames)
  expect(slider).toHaveValue('0')
})

it('says in how many frames the rider is seen, and when', async () => {
  await showClip()
  expect(screen.getByText('Rider seen in 5 of 5 frames')).toBeInTheDocument()
  expect(screen.getByText('0:00.0–0:00.4')).toBeInTheDocument()
})

it('shows what was measured of a jump and goes there, and says once why the rest was not', async () => {
  const { slider } = await showClip()
  const jump = within(screen.getByRole('region', { name: 'Jump' }))
  expect(jump.getByText('0.62 s')).toBeInTheDocument()
  await userEvent.click(jump.getByRole('button', { name: '0:00.2–0:00.3' }))
  expect(slider).toHaveValue('2')
  expect(jump.getByText('Jump height, Spin:').parentElement).toHaveTextContent(
    'Jump height, Spin: not measured. The landing is not in the clip.',
  )
})

it('lets somebody be chosen who is not in the frame, and goes to where they are', async () => {
  const frames = makeFrames()
  frames[4].people.push({ ...frames[4].people[0], id: 9 })
  const { slider } = await showClip('', frames, [
    { id: 7, frames: 5, first_seconds: 0, last_seconds: 0.4 },
    { id: 9, frames: 1, first_seconds: 0.4, last_seconds: 0.4 },
  ])
  fireEvent.change(slider, { target: { value: '1' } })
  await userEvent.click(screen.getByRole('button', { name: 'Person 9 0:00.4–0:00.4' }))
  expect(slider).toHaveValue('4')
  expect(screen.getByText('Rider seen in 1 of 5 frames')).toBeInTheDocument()
})
