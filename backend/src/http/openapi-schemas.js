import { KINDS, STANCES, STATES } from '../store/analysis.js';

const ref = (name) => ({ $ref: `#/components/schemas/${name}` });
const orNull = (type) => ({ type: [type, 'null'] });
const object = (properties, required = Object.keys(properties), rest = {}) => ({
  type: 'object',
  properties,
  required,
  ...rest,
});
const COUNT = { type: 'integer', minimum: 0 };
const MOMENT = { type: 'string', format: 'date-time' };
const ID = { type: 'string', pattern: '^[0-9a-f]{24}$' };
// One character that is left when names are cleaned (cleanName).
const VISIBLE = '[^\\s\\ufeff\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069]';
const PATH = { type: 'string', pattern: '^/api/' };
const PATH_OR_NULL = { type: ['string', 'null'], pattern: '^/api/' };

const SUMMARY_PROPERTIES = {
  id: ID,
  filename: { type: 'string', description: 'as uploaded' },
  name: { type: 'string', description: 'to show' },
  contentType: { type: 'string' },
  kind: { enum: KINDS },
  bytes: COUNT,
  sha256: orNull('string'),
  stance: { enum: STANCES },
  createdAt: MOMENT,
  status: { enum: STATES },
  people: { type: ['integer', 'null'], minimum: 0 },
  revision: COUNT,
  progress: { anyOf: [ref('Progress'), { type: 'null' }] },
  attempts: COUNT,
  error: ref('Problem'),
  links: ref('Links'),
};
const ANALYSIS_PROPERTIES = {
  ...SUMMARY_PROPERTIES,
  history: {
    type: 'array',
    items: object({ status: { enum: STATES }, at: MOMENT, revision: COUNT }),
  },
  pose: { type: ['object', 'null'], description: "a photo's answer of the pose-service" },
  summary: { type: ['object', 'null'], description: "a clip's summary by the pose-service" },
};
const required = (properties) => Object.keys(properties).filter((name) => name !== 'error');

/** The schemas of components, by name. */
export const SCHEMAS = {
  Problem: object(
    {
      type: { type: 'string' },
      title: { type: 'string' },
      status: { type: 'integer' },
      detail: { type: 'string' },
      instance: { type: 'string' },
      requestId: { type: 'string' },
    },
    ['type', 'title', 'status', 'detail'],
    { description: 'RFC 9457' },
  ),
  Links: object({
    self: PATH,
    media: PATH,
    picture: {
      ...PATH_OR_NULL,
      description:
        'the photo for a browser: its media, or a JPEG copy, null until that is made; null for a clip',
    },
    thumbnail: PATH_OR_NULL,
    events: PATH,
    frames: PATH_OR_NULL,
    exportJson: PATH,
    exportCsv: PATH,
  }),
  Progress: object({
    framesDone: COUNT,
    framesTotal: { type: ['integer', 'null'], minimum: 0 },
    people: COUNT,
    elapsedSeconds: { type: 'number', minimum: 0 },
    etaSeconds: { type: ['number', 'null'], minimum: 0 },
    waitingFor: { type: ['string', 'null'], description: 'why the work was put back' },
    at: MOMENT,
  }),
  Summary: object(SUMMARY_PROPERTIES, required(SUMMARY_PROPERTIES)),
  Analysis: object(ANALYSIS_PROPERTIES, required(ANALYSIS_PROPERTIES)),
  Accepted: {
    allOf: [ref('Analysis'), object({ duplicate: { type: 'boolean', description: 'it was here already' } })],
  },
  List: object({ items: { type: 'array', items: ref('Summary') }, total: COUNT, next: PATH_OR_NULL }),
  Frames: object({
    items: { type: 'array', items: object({ index: COUNT, people: { type: 'array' } }) },
    total: COUNT,
    next: PATH_OR_NULL,
  }),
  Rename: object({ name: { type: 'string', pattern: VISIBLE } }, ['name'], {
    additionalProperties: false,
  }),
  Live: object({ status: { const: 'alive' } }),
  Health: object({
    status: { enum: ['ok', 'degraded'] },
    mongo: { enum: ['ok', 'starting', 'down'] },
    pose: { type: 'string' },
    queue: { anyOf: [object({ waiting: COUNT, running: COUNT }), { type: 'null' }] },
    details: { type: 'object' },
  }),
};
