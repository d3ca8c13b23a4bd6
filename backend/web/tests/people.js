const SIDED = ['eye_inner', 'eye', 'eye_outer', 'ear', 'shoulder', 'elbow', 'wrist', 'pinky', 'index', 'thumb']
const SIDED_LEGS = ['hip', 'knee', 'ankle', 'heel', 'foot_index']

/** The names of MediaPipe's 33 points. */
export const NAMES = [
  'nose',
  'mouth_left',
  'mouth_right',
  ...[...SIDED, ...SIDED_LEGS].flatMap((joint) => [`left_${joint}`, `right_${joint}`]),
]

/** A person with every joint at its own place in a photo of 400 × 300. */
export function makePerson(changes = {}) {
  const keypoints = NAMES.map((name, index) => ({ name, x: 20 + index * 10, y: 30 + index * 6, confidence: 0.9 }))
  return {
    box: [20, 30, 340, 222],
    score: 0.93,
    skeleton: 'blazepose33',
    keypoints,
    measures: {
      knee_flexion_left: { value: 42, unit: 'degrees' },
      stance_width: { value: null, reason: 'left_ankle is not clearly visible (confidence 0.03 < 0.5)' },
    },
    assumptions: ['camera level'],
    ...changes,
  }
}

export function makeAnalysis(changes = {}) {
  return {
    id: '6b00bd5a0206706dc21d63b3',
    filename: 'rider.jpg',
    contentType: 'image/jpeg',
    bytes: 1000,
    createdAt: '2026-01-02T03:04:05.000Z',
    status: 'done',
    pose: {
      engine: 'mediapipe',
      device: 'cpu',
      image: { width: 400, height: 300 },
      milliseconds: 46.6,
      people: [makePerson()],
    },
    ...changes,
  }
}
