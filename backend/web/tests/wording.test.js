import { expect, it } from 'vitest'

import {
  describeAge,
  describeBytes,
  describeOutcome,
  describePeople,
  describeWait,
  titleOf,
} from '../src/pose/wording.js'

const NOW = Date.parse('2026-03-10T12:00:00Z')

it.each([
  ['2026-03-10T12:00:05Z', 'just now'],
  ['2026-03-10T11:59:30Z', 'just now'],
  ['2026-03-10T11:57:00Z', '3 min. ago'],
  ['2026-03-10T10:30:00Z', '1 hr. ago'],
  ['2026-03-09T11:00:00Z', 'yesterday'],
  ['2025-12-24T11:00:00Z', '24 Dec 2025'],
])('%s was %s', (moment, words) => {
  expect(describeAge(moment, NOW)).toBe(words)
})

// Of local time, as it is read.
const NOON = new Date(2026, 2, 10, 12)
it.each([
  [new Date(2026, 2, 10, 9, 5), 'Today, 09:05'],
  [new Date(2026, 2, 9, 23, 59), 'Yesterday, 23:59'],
  // Versions of the calendar data differ in a comma after the weekday.
  [new Date(2026, 1, 28, 8, 0), /^Sat,? 28 Feb, 08:00$/],
  [new Date(2025, 11, 24, 8, 0), '24 Dec 2025, 08:00'],
])('titles an analysis of %s by its date', (createdAt, title) => {
  expect(titleOf({ name: 'IMG_1.jpg', filename: 'IMG_1.jpg', createdAt: createdAt.toISOString() }, NOON)).toMatch(title)
})

it('titles an analysis by the name that somebody gave it', () => {
  expect(titleOf({ name: 'First run', filename: 'IMG_1.jpg', createdAt: NOON.toISOString() })).toBe('First run')
})

it('counts people and bytes in words', () => {
  expect([null, 0, 1, 2].map(describePeople)).toEqual(['nobody found', 'nobody found', '1 person', '2 people'])
  expect([12, 99_308, 4_120_000].map(describeBytes)).toEqual(['1 kB', '99 kB', '4.1 MB'])
})

it('says what came of an analysis', () => {
  expect(describeOutcome({ kind: 'clip', status: 'done', people: 2 })).toBe('clip, 2 people')
  expect(describeOutcome({ kind: 'photo', status: 'failed', people: null })).toBe('failed')
  expect(describeOutcome({ kind: 'photo', status: 'received', people: null })).toBe('working…')
})

it('says how long something will take', () => {
  expect([0.2, 12.4, 89, 150].map(describeWait)).toEqual(['1 s', '12 s', '89 s', '3 min'])
})
