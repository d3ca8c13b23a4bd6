import { describe, expect, it } from 'vitest'

import { compareReadings } from '../src/pose/comparison.js'
import { colourOf, describeConfidence } from '../src/pose/confidence.js'
import { chartsOf, curvesOf } from '../src/pose/curves.js'
import { describeStance, readingsOf, unseenOf } from '../src/pose/readings.js'
import { makeFrames, makePerson } from './people.js'

function sentenceOf(name, value, stance = 'regular') {
  const measures = { [name]: { value, unit: 'degrees', confidence: 1 } }
  const person = makePerson({ measures, stance: { value: stance, source: 'given' } })
  return readingsOf(person).find((reading) => reading.name === name).sentence
}

it('calls the knee of the front foot the front knee', () => {
  const labels = (stance) =>
    readingsOf(makePerson({ stance: { value: stance, source: 'given' } })).map(({ label, name }) => `${label} ${name}`)
  expect(labels('regular')).toContain('Front knee knee_flexion_left')
  expect(labels('goofy')).toContain('Front knee knee_flexion_right')
})

describe('sentences', () => {
  it.each([
    [5, 'almost straight'],
    [40, 'slightly bent'],
    [90, 'right angle'],
    [170, 'deeply folded'],
  ])('a knee bent by %i degrees is %s', (degrees, words) => {
    expect(sentenceOf('knee_flexion_left', degrees)).toContain(words)
  })

  // Seen from above, a regular rider's chest looks to the right of the board: turned counter-clockwise, it looks ahead.
  it.each([
    [30, 'regular', 'open'],
    [-30, 'regular', 'closed'],
    [30, 'goofy', 'closed'],
    [-30, 'goofy', 'open'],
    [4, 'goofy', 'in line'],
  ])('shoulders turned by %i degrees, %s, are %s', (degrees, stance, words) => {
    expect(sentenceOf('shoulder_rotation', degrees, stance)).toContain(words)
  })

  it.each([
    [0.5, 'centred'],
    [0.7, 'nearer to the front'],
    [0.3, 'nearer to the rear'],
    [1.2, 'beyond the front'],
  ])('a balance of %s is %s', (share, words) => {
    expect(sentenceOf('fore_aft_balance', share)).toContain(words)
  })

  it('leans over the toes above zero and over the heels below', () => {
    expect(sentenceOf('inclination', 25)).toContain('toe')
    expect(sentenceOf('inclination', -25)).toContain('heel')
    expect(sentenceOf('inclination', 3)).toContain('upright')
  })

  it('says how the stance is known', () => {
    expect(describeStance({ value: 'goofy', source: 'guessed' })).toContain('right foot in front: guessed')
    expect(describeStance(undefined)).toBe('')
  })
})

it('gathers what is not seen by its reason', () => {
  const reason = 'left_ankle is not clearly visible (confidence 0.07 < 0.5)'
  const measures = { a: { value: null, reason }, b: { value: 1 }, c: { value: null, reason } }
  expect(unseenOf(measures)).toEqual([{ reason: 'Left ankle is not clearly visible', names: ['a', 'c'] }])
})

it('grows lighter with confidence, and says it in words', () => {
  const lightness = [0, 0.25, 0.5, 0.75, 1].map((value) => {
    const [red, green, blue] = colourOf(value).match(/\d+/g).map(Number)
    return 0.3 * red + 0.59 * green + 0.11 * blue
  })
  expect(lightness).toEqual([...lightness].sort((a, b) => a - b))
  expect([1, 0.6, 0.3].map(describeConfidence)).toEqual(['sure (100 %)', 'fairly sure (60 %)', 'a rough guess (30 %)'])
})

it('compares what both have', () => {
  const bent = { knee_flexion_left: { value: 60.4, unit: 'degrees' } }
  const [front, rear] = compareReadings(makePerson(), makePerson({ measures: bent }))
  expect(front.difference).toEqual({ value: 18.4, unit: 'degrees' })
  expect(rear.difference).toBeNull()
  expect(compareReadings(null, null).every(({ difference }) => difference === null)).toBe(true)
})

it('draws the measures that have a value, those that riders read first in front, by unit', () => {
  const frames = makeFrames()
  for (const { people } of frames) {
    people[0].measures = { stance_width: { value: 1.2, unit: 'shoulder widths' }, ...people[0].measures }
    people[0].smoothed.measures.stance_width = 1.2
  }
  const curves = curvesOf(frames, 7, 'goofy')
  expect(curves.map(({ name }) => name)).toEqual(['knee_flexion_left', 'stance_width'])
  expect(curves[0]).toMatchObject({ label: 'Rear knee', isFirst: true, values: [41, 51, 61, 71, 81] })
  expect(chartsOf(curves).map(({ unit }) => unit)).toEqual(['degrees', 'shoulder widths'])
})
