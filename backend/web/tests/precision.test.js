import { expect, it } from 'vitest'

import { describePrecision } from '../src/pose/precision.js'

it.each([
  [{ unit: 'degrees', error: 5.6, confidence: 0.99 }, '± 6°'],
  [{ unit: 'degrees', error: 0.2 }, '± 1°'],
  [{ unit: 'degrees', error: 0 }, '± 1°'],
  [{ unit: 'of the stance', error: 0.04 }, '± 0.04'],
  [{ unit: 'degrees', error: null, confidence: 0.9 }, ''],
  [{ unit: 'degrees', confidence: 0.6 }, 'seen fairly well'],
  [{ unit: 'degrees', confidence: 0.3 }, 'a rough guess'],
  [{ unit: 'degrees' }, ''],
])('%o is %s', (measure, words) => {
  expect(describePrecision(measure)).toBe(words)
})
