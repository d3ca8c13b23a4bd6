import { describe, expect, it } from 'vitest'

import { bonesOf, labelOf, sideOf } from '../src/pose/skeleton.js'
import { makePerson, NAMES } from './people.js'

describe('bonesOf', () => {
  it('reaches every one of the 33 joints', () => {
    const person = makePerson()
    const reached = new Set(bonesOf(person).flatMap((bone) => [bone.from.name, bone.to.name]))
    expect(NAMES).toHaveLength(33)
    expect([...reached].sort()).toEqual([...NAMES].sort())
  })

  it('joins left with left and right with right, but for the middle of the body', () => {
    const crossing = bonesOf(makePerson()).filter((bone) => bone.side === 'centre')
    expect(crossing.map((bone) => `${bone.from.name}-${bone.to.name}`)).toEqual([
      'nose-left_eye_inner',
      'nose-right_eye_inner',
      'mouth_left-mouth_right',
      'left_shoulder-right_shoulder',
      'left_hip-right_hip',
    ])
  })

  it('is as sure as the less sure end', () => {
    const person = makePerson()
    person.keypoints.find((keypoint) => keypoint.name === 'left_knee').confidence = 0.2
    const thigh = bonesOf(person).find((bone) => bone.from.name === 'left_hip' && bone.to.name === 'left_knee')
    expect(thigh.confidence).toBe(0.2)
  })

  it('leaves out the bones of joints that are missing', () => {
    const person = makePerson()
    person.keypoints = person.keypoints.filter((keypoint) => keypoint.name !== 'left_wrist')
    const names = bonesOf(person).flatMap((bone) => [bone.from.name, bone.to.name])
    expect(names).not.toContain('left_wrist')
    expect(names).toContain('left_elbow')
  })

  it('has no bones for a skeleton it does not know', () => {
    expect(bonesOf(makePerson({ skeleton: 'tentacles8' }))).toEqual([])
  })
})

it.each([
  ['left_knee', 'left', 'Left knee'],
  ['mouth_right', 'right', 'Mouth right'],
  ['nose', 'centre', 'Nose'],
  ['right_foot_index', 'right', 'Right foot index'],
])('%s is on the %s and called %s', (name, side, label) => {
  expect(sideOf(name)).toBe(side)
  expect(labelOf(name)).toBe(label)
})
