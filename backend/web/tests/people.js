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
    stance: { value: 'regular', source: 'assumed' },
    measures: {
      knee_flexion_left: {
        value: 42,
        unit: 'degrees',
        confidence: 0.91,
        points: ['left_hip', 'left_knee', 'left_ankle'],
      },
      knee_flexion_right: {
        value: null,
        unit: 'degrees',
        points: ['right_hip', 'right_knee', 'right_ankle'],
        reason: 'right_ankle is not clearly visible (confidence 0.03 < 0.5)',
      },
    },
    assumptions: ['camera level'],
    ...changes,
  }
}

export function makeAnalysis(changes = {}) {
  const id = changes.id ?? '6b00bd5a0206706dc21d63b3'
  return {
    id,
    filename: 'rider.jpg',
    name: 'rider.jpg',
    contentType: 'image/jpeg',
    kind: 'photo',
    bytes: 1000,
    createdAt: '2026-01-02T03:04:05.000Z',
    stance: 'auto',
    status: 'done',
    progress: null,
    pose: {
      engine: 'mediapipe',
      device: 'cpu',
      image: { width: 400, height: 300 },
      milliseconds: 46.6,
      people: [makePerson()],
    },
    summary: null,
    links: {
      media: `/api/analyses/${id}/media`,
      picture: `/api/analyses/${id}/media`,
      thumbnail: null,
      exportJson: `/api/analyses/${id}/export?format=json`,
      exportCsv: '/csv',
    },
    ...changes,
  }
}

const JUMP = {
  airtime: { value: 0.62, unit: 'seconds', start_seconds: 0.2, end_seconds: 0.3 },
  jump_height: { value: null, unit: 'metres', reason: 'the landing is not in the clip' },
  spin: { value: null, unit: 'degrees', reason: 'the landing is not in the clip' },
}

/** A clip of five frames in half a second; the left knee is bent by 40, 50, … degrees, steadied to one more. */
export function makeClip(changes = {}) {
  const stance = { value: 'goofy', source: 'guessed' }
  return makeAnalysis({
    filename: 'run.mp4',
    name: 'run.mp4',
    contentType: 'video/mp4',
    kind: 'clip',
    pose: null,
    summary: {
      engine: 'mediapipe',
      device: 'cpu',
      seconds: 0.4,
      frames: 5,
      people: [{ id: 7, frames: 5, first_seconds: 0, last_seconds: 0.4, stance, ...JUMP }],
      assumptions: ['the camera stands still'],
    },
    ...changes,
  })
}

/** The frames of that clip. */
export function makeFrames() {
  return [0, 1, 2, 3, 4].map((index) => {
    const person = makePerson({ id: 7, stance: { value: 'goofy', source: 'guessed' } })
    person.measures.knee_flexion_left.value = 40 + 10 * index
    person.smoothed = { measures: { knee_flexion_left: 41 + 10 * index, knee_flexion_right: null } }
    return { index, time_seconds: index / 10, image: { width: 400, height: 300 }, people: [person] }
  })
}
