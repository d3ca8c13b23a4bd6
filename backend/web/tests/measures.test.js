import { describe, expect, it } from 'vitest'

import { arcPath } from '../src/pose/arc.js'
import { formatMeasure, formatReason, labelOfMeasure } from '../src/pose/measures.js'

it.each([
  ['knee_flexion_left', 'Left knee flexion'],
  ['hip_flexion_right', 'Right hip flexion'],
  ['trunk_lean', 'Trunk lean'],
])('%s is called %s', (name, label) => {
  expect(labelOfMeasure(name)).toBe(label)
})

it('writes degrees beside the number and other units below it', () => {
  expect(formatMeasure({ value: 42, unit: 'degrees' })).toEqual({ number: '42°', unit: '' })
  expect(formatMeasure({ value: 1.3, unit: 'shoulder widths' })).toEqual({ number: '1.30', unit: 'shoulder widths' })
  expect(formatMeasure({ value: 0, unit: 'degrees' }).number).toBe('0°')
})

it('writes joint names in a reason as words', () => {
  expect(formatReason('left_foot_index is not clearly visible (confidence 0.07 < 0.5)')).toBe(
    'Left foot index is not clearly visible',
  )
})

describe('arcPath', () => {
  const size = { cx: 10, cy: 10, radius: 5, reach: 10 }

  it('ends to the right at 90 degrees and below at 180', () => {
    expect(arcPath(90, size).arm).toBe('M10 10L20 10')
    expect(arcPath(180, size).arm).toBe('M10 10L10 20')
  })

  it('turns to the other side below zero', () => {
    expect(arcPath(-90, size).arm).toBe('M10 10L0 10')
    expect(arcPath(-90, size).arc).toContain(' 0 0 0 ')
  })
})
