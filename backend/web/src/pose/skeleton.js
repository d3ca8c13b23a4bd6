const SIDES = ['left', 'right']

const FACE = [
  ['nose', 'left_eye_inner'],
  ['nose', 'right_eye_inner'],
  ['mouth_left', 'mouth_right'],
  ...SIDES.flatMap((side) => [
    [`${side}_eye_inner`, `${side}_eye`],
    [`${side}_eye`, `${side}_eye_outer`],
    [`${side}_eye_outer`, `${side}_ear`],
  ]),
]

const TORSO = [
  ['left_shoulder', 'right_shoulder'],
  ['left_hip', 'right_hip'],
]

const LIMBS = SIDES.flatMap((side) =>
  [
    ['shoulder', 'elbow'],
    ['elbow', 'wrist'],
    ['wrist', 'thumb'],
    ['wrist', 'index'],
    ['wrist', 'pinky'],
    ['index', 'pinky'],
    ['shoulder', 'hip'],
    ['hip', 'knee'],
    ['knee', 'ankle'],
    ['ankle', 'heel'],
    ['ankle', 'foot_index'],
    ['heel', 'foot_index'],
  ].map((pair) => pair.map((joint) => `${side}_${joint}`)),
)

// HMR2's: fewer points in the face, none in the hand, two toes. The 17 of COCO are among them, without feet.
const OPENPOSE = [
  ...TORSO,
  ...SIDES.flatMap((side) =>
    [
      ['shoulder', 'elbow'],
      ['elbow', 'wrist'],
      ['shoulder', 'hip'],
      ['hip', 'knee'],
      ['knee', 'ankle'],
      ['ankle', 'heel'],
      ['ankle', 'big_toe'],
      ['heel', 'big_toe'],
      ['big_toe', 'small_toe'],
      ['eye', 'ear'],
    ].map((pair) => pair.map((joint) => `${side}_${joint}`)),
  ),
  ...SIDES.map((side) => ['nose', `${side}_eye`]),
]

const EDGES = { blazepose33: [...FACE, ...TORSO, ...LIMBS], 'openpose25+j19': OPENPOSE, coco17: OPENPOSE }

// Eleven joints in the face and three in a hand: drawn as large as a knee they would be one blot.
const FINE_JOINT = /nose|eye|ear$|mouth|thumb|_index$|pinky/
const FOOT_JOINT = /foot/

/** The joints that are drawn: a second regressor's opinion of the same ones (j19_…) is left out. */
export function jointsOf(person) {
  return person.keypoints.filter(({ name }) => !name.startsWith('j19_'))
}

/** 'left', 'right' or 'centre', of the person, not of the photo. */
export function sideOf(name) {
  return SIDES.find((side) => name.split('_').includes(side)) ?? 'centre'
}

export function isFineJoint(name) {
  return FINE_JOINT.test(name) && !FOOT_JOINT.test(name)
}

/** 'left_foot_index' -> 'Left foot index'. */
export function labelOf(name) {
  const words = name.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/**
 * Bones of one person: `[{ from, to, side, isFine, confidence }]`, `from` and `to` are keypoints (pixels in the photo).
 * A bone is as sure as its less sure end. Joints that the person lacks take their bones with them;
 * a skeleton that is not known has none.
 */
export function bonesOf(person) {
  const joints = new Map(person.keypoints.map((keypoint) => [keypoint.name, keypoint]))
  return (EDGES[person.skeleton] ?? [])
    .filter((names) => names.every((name) => joints.has(name)))
    .map((names) => describeBone(...names.map((name) => joints.get(name))))
}

function describeBone(from, to) {
  const [fromSide, toSide] = [sideOf(from.name), sideOf(to.name)]
  return {
    from,
    to,
    side: fromSide === toSide ? fromSide : 'centre',
    isFine: isFineJoint(from.name) || isFineJoint(to.name),
    confidence: Math.min(from.confidence, to.confidence),
  }
}
