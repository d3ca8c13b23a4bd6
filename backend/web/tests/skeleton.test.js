import { describe, expect, it } from 'vitest'

import { bonesOf, jointsOf, labelOf, sideOf } from '../src/pose/skeleton.js'
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

  it('joins all of the 17 points without the face model', () => {
    const limbs = ['shoulder', 'elbow', 'wrist', 'hip', 'knee', 'ankle', 'eye', 'ear']
    const names = ['nose', ...limbs.flatMap((joint) => [`left_${joint}`, `right_${joint}`])]
    const keypoints = names.map((name) => ({ name, x: 0, y: 0, confidence: 0.9 }))
    const bones = bonesOf({ ...makePerson(), skeleton: 'coco17', keypoints })
    expect(bones).toHaveLength(16)
    expect([...new Set(bones.flatMap((bone) => [bone.from.name, bone.to.name]))].sort()).toEqual(names.sort())
  })

  it('knows the skeleton of the GPU engine, and draws no joint twice', () => {
    const names = [
      'nose',
      'left_eye',
      'left_ear',
      'left_knee',
      'left_ankle',
      'left_heel',
      'left_big_toe',
      'j19_left_knee',
    ]
    const keypoints = names.map((name) => ({ name, x: 0, y: 0, confidence: 0.9 }))
    const person = { ...makePerson(), skeleton: 'openpose25+j19', keypoints }
    expect(bonesOf(person).map((bone) => `${bone.from.name}-${bone.to.name}`)).toEqual([
      'left_knee-left_ankle',
      'left_ankle-left_heel',
      'left_ankle-left_big_toe',
      'left_heel-left_big_toe',
      'left_eye-left_ear',
      'nose-left_eye',
    ])
    expect(jointsOf(person)).toHaveLength(7)
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
