import { describe, expect, it } from 'vitest'

import { bestFrame, byPresence, jumpOf, portraitsOf, runsOf } from '../src/pose/clip-people.js'
import { squareAround } from '../src/pose/portrait.js'
import { formatSpan } from '../src/pose/timeline.js'
import { makeFrames } from './people.js'

describe('best frame', () => {
  it('is the one with most readings', () => {
    const frames = makeFrames()
    frames[3].people[0].measures.inclination = { value: 5, unit: 'degrees' }
    frames[3].people[0].smoothed.measures.inclination = 5
    expect(bestFrame(frames, 7)).toBe(3)
  })

  it('is the one with the surest joints among those with as many readings', () => {
    const frames = makeFrames()
    for (const joint of frames[2].people[0].keypoints) joint.confidence = 0.95
    expect(bestFrame(frames, 7)).toBe(2)
  })

  it('is one in which the person is, and the first where nobody is', () => {
    const frames = makeFrames()
    frames[0].people = []
    expect(bestFrame(frames, 7)).toBe(1)
    expect(bestFrame(frames, 8)).toBe(0)
    expect(bestFrame([], 7)).toBe(0)
  })
})

it('gathers the frames in which somebody is seen', () => {
  const frames = makeFrames()
  frames[2].people = []
  expect(runsOf(frames, 7)).toEqual([
    [0, 2],
    [3, 5],
  ])
  expect(runsOf(frames, 8)).toEqual([])
})

it('puts the one who is seen longest first', () => {
  expect(byPresence([{ id: 1, frames: 3 }, { id: 2, frames: 9 }, { id: 3 }]).map(({ id }) => id)).toEqual([2, 1, 3])
})

it('cuts portraits out of the best frame, of those who have one', () => {
  const [portrait, ...others] = portraitsOf([{ id: 7 }, { id: 8 }], makeFrames())
  expect(portrait).toMatchObject({ id: 7, box: [20, 30, 340, 222], image: { width: 400, height: 300 } })
  expect(portrait.seconds).toBeCloseTo(0.05)
  expect(others).toEqual([])
})

it.each([
  [[100, 100, 140, 200], { x: 52.5, y: 82.5, side: 135 }],
  [[0, 0, 40, 100], { x: 0, y: 0, side: 135 }],
  [[350, 250, 400, 300], { x: 332.5, y: 232.5, side: 67.5 }],
  [[0, 0, 400, 300], { x: 50, y: 0, side: 300 }],
])('cuts a square around %o that stays in the picture', (box, square) => {
  expect(squareAround(box, { width: 400, height: 300 })).toEqual(square)
})

it('names what was looked for in a jump, in one order', () => {
  const airtime = { value: 0.5, unit: 'seconds' }
  const spin = { value: null, unit: 'degrees', reason: 'hidden' }
  expect(jumpOf({ spin, airtime }).map(({ label }) => label)).toEqual(['Airtime', 'Spin'])
  expect(jumpOf({})).toEqual([])
})

it.each([
  [0, 59.96, '0:00.0–1:00.0'],
  [61.25, 125.04, '1:01.3–2:05.0'],
])('writes the span from %f to %f', (first, last, text) => {
  expect(formatSpan(first, last)).toBe(text)
})
