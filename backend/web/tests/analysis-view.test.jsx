import { fireEvent, render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, it } from 'vitest'

import { AnalysisView } from '../src/components/AnalysisView.jsx'
import { makeAnalysis, makePerson } from './people.js'

const show = (analysis) => render(<AnalysisView analysis={analysis} onDelete={() => {}} />)
const jointAt = (name) => document.querySelector(`[data-joint=${name}]`)

it('draws every joint of the person at its pixel of the photo', () => {
  const analysis = makeAnalysis()
  show(analysis)
  expect(screen.getByRole('group', { name: 'Skeleton' })).toHaveAttribute('viewBox', '0 0 400 300')
  expect(document.querySelectorAll('[data-joint]')).toHaveLength(33)
  const nose = jointAt('nose').querySelector('.joint-dot')
  expect([nose.getAttribute('cx'), nose.getAttribute('cy')]).toEqual(['20', '30'])
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

it('shows a measure with its value, and the reason where there is none', () => {
  show(makeAnalysis())
  expect(screen.getByRole('row', { name: /Left knee flexion/ })).toHaveTextContent('42°')
  expect(screen.getByRole('row', { name: /Stance width/ })).toHaveTextContent('Left ankle is not clearly visible')
  expect(screen.getByText('camera level')).toBeInTheDocument()
  expect(screen.getByText('47 ms')).toBeInTheDocument()
})

it('marks the joints of the measure that is pointed at', () => {
  show(makeAnalysis())
  fireEvent.pointerEnter(screen.getByRole('row', { name: /Left knee flexion/ }))
  const marked = [...document.querySelectorAll('.is-pointed')].map((joint) => joint.dataset.joint)
  expect(marked).toEqual(['left_hip', 'left_knee', 'left_ankle'])
})

it('hides the skeleton on demand', async () => {
  show(makeAnalysis())
  await userEvent.click(screen.getByRole('checkbox', { name: 'Skeleton' }))
  expect(document.querySelector('[data-joint]')).toBeNull()
})

it('changes to the figures of another person', async () => {
  const analysis = makeAnalysis()
  const other = makePerson({ measures: { trunk_lean: { value: 7, unit: 'degrees' } } })
  analysis.pose.people.push(other)
  show(analysis)
  await userEvent.click(screen.getByRole('button', { name: '2' }))
  expect(screen.getByRole('row', { name: /Trunk lean/ })).toHaveTextContent('7°')
})

it('says so when nobody was found, and when the estimate failed', () => {
  const nobody = makeAnalysis()
  nobody.pose.people = []
  const { unmount } = show(nobody)
  expect(screen.getByText('Nobody found')).toBeInTheDocument()
  unmount()
  show(makeAnalysis({ status: 'failed', pose: null, error: { title: 'Too slow', detail: 'No answer in 30 s.' } }))
  expect(screen.getByRole('alert')).toHaveTextContent('Too slow')
  expect(screen.getByRole('img', { name: 'rider.jpg' })).toBeInTheDocument()
})
