import { describe, expect, it } from 'vitest'

import { formatTime, frameAt, measureOf, seekTime, seriesOf } from '../src/pose/timeline.js'
import { makeFrames, makePerson } from './people.js'

const TIMES = [0, 0.1, 0.2, 0.5]

describe('frameAt', () => {
  it.each([
    [-1, 0],
    [0.05, 0],
    [0.1, 1],
    [0.0999, 1],
    [0.49, 2],
    [9, 3],
  ])('finds at %s s the frame %i', (seconds, index) => {
    expect(frameAt(TIMES, seconds)).toBe(index)
  })

  it('is 0 while there are no frames', () => {
    expect(frameAt([], 3)).toBe(0)
  })

  it('finds every frame again at the moment that is sought for it, also with uneven times', () => {
    expect(TIMES.map((_, index) => frameAt(TIMES, seekTime(TIMES, index)))).toEqual([0, 1, 2, 3])
  })
})

it('takes the steadied value of a clip, and the value itself of a photo', () => {
  const [frame] = makeFrames()
  expect(measureOf(frame.people[0], 'knee_flexion_left')).toMatchObject({ value: 41, confidence: 0.91 })
  expect(measureOf(makePerson(), 'knee_flexion_left').value).toBe(42)
})

it('gives a reason for every value that is missing', () => {
  const [{ people }] = makeFrames()
  people[0].smoothed.measures.knee_flexion_left = null
  expect(measureOf(people[0], 'knee_flexion_left')).toMatchObject({ value: null, reason: expect.any(String) })
  expect(measureOf(people[0], 'tail_wag')).toMatchObject({ value: null, reason: expect.any(String) })
})

it('leaves gaps in a series where the person is not seen', () => {
  const frames = makeFrames()
  frames[2].people = []
  expect(seriesOf(frames, 7, 'knee_flexion_left')).toEqual([41, 51, null, 71, 81])
})

it('writes moments of a clip', () => {
  expect([0, 4.93, 75.5].map(formatTime)).toEqual(['0:00.00', '0:04.93', '1:15.50'])
})
