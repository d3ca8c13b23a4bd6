import { describe, expect, it } from 'vitest'

import { compareReadings } from '../src/pose/comparison.js'
import { colourOf } from '../src/pose/confidence.js'
import { chartsOf, curvesOf } from '../src/pose/curves.js'
import { describeStance, readingsOf, unseenOf } from '../src/pose/readings.js'
import { makeFrames, makePerson } from './people.js'

function sentenceOf(name, value, stance = 'regular', error = null) {
  const measures = { [name]: { value, error, unit: 'degrees', confidence: 1 } }
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

  it.each([
    ['fore_aft_balance', 0.44, 0.1, 'centred'],
    ['fore_aft_balance', 0.44, 0.03, 'nearer to the rear'],
    ['shoulder_rotation', 13, 15, 'in line'],
    ['shoulder_rotation', 8, 5, 'open'],
    ['inclination', 6, 4, 'toe'],
    ['inclination', 13, 15, 'upright'],
  ])('%s of %s with an error of %s is %s', (name, value, error, words) => {
    expect(sentenceOf(name, value, 'regular', error)).toContain(words)
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

it('grows lighter with confidence', () => {
  const lightness = [0, 0.25, 0.5, 0.75, 1].map((value) => {
    const [red, green, blue] = colourOf(value).match(/\d+/g).map(Number)
    return 0.3 * red + 0.59 * green + 0.11 * blue
  })
  expect(lightness).toEqual([...lightness].sort((a, b) => a - b))
})

it('compares what both have', () => {
  const bent = { knee_flexion_left: { value: 60.4, unit: 'degrees' } }
  const [front, rear] = compareReadings(makePerson(), makePerson({ measures: bent }))
  expect(front.difference).toEqual({ value: 18.4, unit: 'degrees' })
  expect(rear.difference).toBeNull()
  expect(compareReadings(null, null).every(({ difference }) => difference === null)).toBe(true)
})

/** The clip's frames with more measures, each the same in all of them. */
function framesWith(more) {
  const frames = makeFrames()
  for (const { people } of frames) {
    for (const [name, measure] of Object.entries(more)) {
      people[0].measures[name] = measure
      people[0].smoothed.measures[name] = measure.value
    }
  }
  return frames
}

it('begins the charts with both knees, on a scale of their own', () => {
  const frames = framesWith({
    stance_width: { value: 1.2, unit: 'shoulder widths' },
    trunk_lean: { value: 170, unit: 'degrees' },
    inclination: { value: -20, unit: 'degrees' },
    knee_flexion_right: { value: 12, unit: 'degrees' },
  })
  const curves = curvesOf(frames, 7, 'goofy')
  expect(curves.map(({ label }) => label)).toEqual([
    'Front knee',
    'Rear knee',
    'Inclination',
    'Stance width',
    'Trunk lean',
  ])
  expect(curves[1]).toMatchObject({ name: 'knee_flexion_left', values: [41, 51, 61, 71, 81] })
  expect(curves.filter(({ isFirst }) => isFirst).map(({ label }) => label)).toEqual(['Front knee', 'Rear knee'])
  const charts = chartsOf(curves).map(({ title, curves: own }) => [title, own.length])
  expect(charts).toEqual([
    ['Knees, degrees', 2],
    ['degrees', 2],
    ['shoulder widths', 1],
  ])
})

it('begins the charts with what there is where no knee is seen', () => {
  const lean = { value: 170, unit: 'degrees' }
  const frames = framesWith({ knee_flexion_left: { ...lean, value: null }, trunk_lean: lean })
  expect(curvesOf(frames, 7, 'goofy').map(({ name, isFirst }) => [name, isFirst])).toEqual([['trunk_lean', true]])
})

it('calls a turn below its own error in line', () => {
  const sentence = (error) => {
    const measures = { hip_rotation: { value: 14, unit: 'degrees', confidence: 1, error } }
    return readingsOf(makePerson({ measures })).find(({ name }) => name === 'hip_rotation').sentence
  }
  expect(sentence(15)).toContain('in line')
  expect(sentence(6)).toContain('open')
  expect(sentence(undefined)).toContain('open')
})
