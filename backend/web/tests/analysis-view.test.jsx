import { fireEvent, render, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, it, vi } from 'vitest'

import { AnalysisView } from '../src/components/AnalysisView.jsx'
import { pointing } from '../src/pose/pointing.js'
import { startFakeApi } from './fake-api.js'
import { makeAnalysis, makePerson } from './people.js'

function show(analysis, query = '') {
  const route = { params: new URLSearchParams(query), keep: vi.fn() }
  const onChange = vi.fn()
  const view = render(
    <AnalysisView analysis={analysis} isLinked route={route} onChange={onChange} onDelete={() => {}} />,
  )
  return { ...view, route, onChange }
}
const jointAt = (name) => document.querySelector(`[data-joint=${name}]`)
const reading = (name) => document.querySelector(`[data-measure=${name}]`)

it('draws every joint of the person at its pixel of the photo', () => {
  show(makeAnalysis())
  expect(screen.getByRole('group', { name: 'Skeleton' })).toHaveAttribute('viewBox', '0 0 400 300')
  expect(document.querySelectorAll('[data-joint]')).toHaveLength(33)
  const nose = jointAt('nose').querySelector('.joint-dot')
  expect([nose.getAttribute('cx'), nose.getAttribute('cy')]).toEqual(['20', '30'])
})

it('colours joints by their confidence', () => {
  const person = makePerson()
  person.keypoints.find((keypoint) => keypoint.name === 'nose').confidence = 0.1
  const analysis = makeAnalysis()
  analysis.pose.people = [person]
  show(analysis)
  const fillOf = (name) => jointAt(name).querySelector('.joint-dot').getAttribute('fill')
  expect(fillOf('left_knee')).toBe(fillOf('right_knee'))
  expect(fillOf('nose')).not.toBe(fillOf('left_knee'))
})

it('leaves out joints that were placed outside of the photo', () => {
  const person = makePerson()
  person.keypoints.find((keypoint) => keypoint.name === 'left_heel').y = 301
  const analysis = makeAnalysis()
  analysis.pose.people = [person]
  show(analysis)
  expect(jointAt('left_heel')).toBeNull()
  expect(jointAt('left_ankle')).not.toBeNull()
})

it('names a joint and its confidence when it is pointed at', () => {
  show(makeAnalysis())
  fireEvent.pointerEnter(jointAt('right_knee'))
  expect(screen.getByRole('tooltip')).toHaveTextContent('Right knee90 % sure')
  fireEvent.pointerLeave(jointAt('right_knee'))
  expect(screen.queryByRole('tooltip')).toBeNull()
})

it('walks from joint to joint with the arrow keys, round the end too', async () => {
  show(makeAnalysis())
  jointAt('nose').focus()
  await userEvent.keyboard('{ArrowRight}')
  expect(document.activeElement).toBe(jointAt('mouth_left'))
  await userEvent.keyboard('{ArrowLeft}{ArrowLeft}')
  expect(document.activeElement).toBe(jointAt('right_foot_index'))
  expect(document.querySelectorAll('[data-joint][tabindex="0"]')).toHaveLength(1)
})

it('reads a measure as a rider does: value, sentence; and why there is none', () => {
  show(makeAnalysis())
  expect(reading('knee_flexion_left')).toHaveTextContent('Front knee42°The knee is slightly bent')
  expect(reading('knee_flexion_right')).toHaveTextContent('Not measured: right ankle is not clearly visible.')
  expect(screen.getByText('camera level')).toBeInTheDocument()
})

it('says how far a measure may be off where that is known, and where not, that it is a guess', () => {
  const analysis = makeAnalysis()
  const [{ measures }] = analysis.pose.people
  measures.knee_flexion_left.error = 5.6
  measures.inclination = { value: 12, unit: 'degrees', confidence: 0.3 }
  show(analysis)
  expect(reading('knee_flexion_left')).toHaveTextContent('42°± 6°')
  expect(reading('inclination')).toHaveTextContent('12°a rough guess')
})

it('leaves the joints lit that a finger touched, which has no other way to stay', () => {
  const onPoint = vi.fn()
  const { onPointerEnter, onPointerLeave } = pointing({ points: ['left_knee'] }, onPoint)
  onPointerEnter()
  onPointerLeave({ pointerType: 'touch' })
  expect(onPoint.mock.calls).toEqual([[['left_knee']]])
  onPointerLeave({ pointerType: 'mouse' })
  expect(onPoint).toHaveBeenLastCalledWith([])
})

it('folds what the engine did', () => {
  show(makeAnalysis())
  expect(screen.getByText('mediapipe')).not.toBeVisible()
})

it('marks the joints of the measure that is pointed at', () => {
  show(makeAnalysis())
  fireEvent.pointerEnter(reading('knee_flexion_left'))
  const marked = [...document.querySelectorAll('.is-pointed')].map((joint) => joint.dataset.joint)
  expect(marked).toEqual(['left_hip', 'left_knee', 'left_ankle'])
})

it('hides the skeleton on demand', async () => {
  show(makeAnalysis())
  await userEvent.click(screen.getByRole('checkbox', { name: 'Skeleton' }))
  expect(document.querySelector('[data-joint]')).toBeNull()
})

it('begins with the surest person and changes to another, by button or on the picture', async () => {
  const analysis = makeAnalysis()
  const measures = { knee_flexion_left: { value: 7, unit: 'degrees', confidence: 0.6 } }
  analysis.pose.people.push(makePerson({ measures }))
  const { route } = show(analysis)
  expect(reading('knee_flexion_left')).toHaveTextContent('42°')
  await userEvent.click(screen.getByRole('button', { name: 'Person 2' }))
  expect(reading('knee_flexion_left')).toHaveTextContent('7°')
  fireEvent.click(document.querySelector('[data-person="1"]'))
  expect(screen.getByRole('button', { name: 'Person 1' })).toHaveAttribute('aria-pressed', 'true')
  await waitFor(() => expect(route.keep).toHaveBeenLastCalledWith({ person: '1', at: null }))
})

it('shows the person that the address names', () => {
  const analysis = makeAnalysis()
  analysis.pose.people.push(makePerson())
  show(analysis, 'person=2')
  expect(screen.getByRole('button', { name: 'Person 2' })).toHaveAttribute('aria-pressed', 'true')
})

it('says so when nobody was found', () => {
  const nobody = makeAnalysis()
  nobody.pose.people = []
  show(nobody)
  expect(screen.getByText('Nobody found')).toBeInTheDocument()
})

it('explains a failure and puts the work into the queue again', async () => {
  const failed = makeAnalysis({
    status: 'failed',
    pose: null,
    error: {
      type: 'urn:pose-service:problem:unreadable-image',
      title: 'Unprocessable Entity',
      status: 422,
      detail: 'The image is cut off.',
    },
  })
  const api = startFakeApi([failed])
  const { onChange } = show(failed)
  expect(screen.getByRole('alert')).toHaveTextContent('The file cannot be read')
  expect(screen.getByRole('img', { name: 'rider.jpg' })).toBeInTheDocument()
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }))
  await waitFor(() => expect(onChange).toHaveBeenCalledOnce())
  expect(api.analyses[0].status).toBe('received')
})

it('tells how far the work is', () => {
  const progress = { framesDone: 30, framesTotal: 120, people: 2, etaSeconds: 12.4, waitingFor: null }
  show(makeAnalysis({ status: 'estimating', pose: null, progress }))
  const panel = within(screen.getByRole('region', { name: 'Progress' }))
  expect(panel.getByText('30 of 120 frames · 2 people · 12 s left')).toBeInTheDocument()
  expect(panel.getByRole('progressbar')).toHaveValue(0.25)
})

it('says what the work waits for', () => {
  const progress = { framesDone: 0, waitingFor: 'The pose-service is not ready.' }
  show(makeAnalysis({ status: 'received', pose: null, progress }))
  expect(screen.getByText('The pose-service is not ready.')).toBeInTheDocument()
})

it('renames, and keeps the old name on Escape', async () => {
  const analysis = makeAnalysis()
  const api = startFakeApi([analysis])
  const { onChange } = show(analysis)
  await userEvent.click(screen.getByRole('button', { name: 'Rename' }))
  await userEvent.keyboard('never{Escape}')
  expect(api.analyses[0].name).toBe('rider.jpg')
  await userEvent.click(screen.getByRole('button', { name: 'Rename' }))
  await userEvent.keyboard('First run{Enter}')
  await waitFor(() => expect(onChange).toHaveBeenCalledOnce())
  expect(api.analyses[0].name).toBe('First run')
})

it('offers the data as the API links it', () => {
  show(makeAnalysis())
  expect(screen.getByRole('link', { name: 'JSON' })).toHaveAttribute('href', expect.stringContaining('format=json'))
})

it('shows a photo that browsers cannot show by its copy, and by its name until that is made', () => {
  const analysis = makeAnalysis({ filename: 'rider.heic', name: 'rider.heic', contentType: 'image/heic' })
  const { media } = analysis.links
  analysis.links.picture = null
  const { unmount } = show({ ...analysis, status: 'estimating', pose: null })
  expect(screen.queryByRole('img', { name: 'rider.heic' })).toBeNull()
  expect(screen.getAllByText('rider.heic').length).toBeGreaterThan(0)
  unmount()
  analysis.links.picture = media.replace('media', 'picture')
  show(analysis)
  expect(screen.getByRole('img', { name: 'rider.heic' })).toHaveAttribute('src', analysis.links.picture)
})
