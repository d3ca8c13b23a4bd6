import { KINDS, STANCES, STATES } from '../store/analysis.js';
import { FRAME_DETAILS } from '../store/frames.js';
import { MEDIA_TYPES } from '../media/media-formats.js';
import { SCHEMAS } from './openapi-schemas.js';

const PROBLEMS = {
  400: 'The request is not as it should be.',
  403: 'A page of another origin asks for a change.',
  404: 'There is no such analysis, or it has no such part.',
  408: 'The upload took too long.',
  409: 'Not in this state.',
  413: 'Too large.',
  415: 'Not of a kind that is taken.',
  416: 'The range is behind the end.',
  421: 'The Host is not one of this server; ALLOWED_HOSTS names more.',
  429: 'Too many requests; Retry-After says how long to wait.',
  503: 'The database is away; Retry-After says how long to wait.',
};
const ALWAYS = [421, 429, 503];

const json = (schema, type = 'application/json') => ({
  content: { [type]: { schema: { $ref: `#/components/schemas/${schema}` } } },
});
const bytes = (type) => ({ content: { [type]: { schema: { type: 'string', format: 'binary' } } } });
const answer = (description, body = {}) => ({ description, ...body });
const query = (name, schema, description) => ({ in: 'query', name, schema, description });

/** An operation: its answers, and the problems that it can have. */
function operation(summary, answers, problems = [], rest = {}) {
  const refused = [...problems, ...ALWAYS].map((status) => [
    status,
    answer(PROBLEMS[status], json('Problem', 'application/problem+json')),
  ]);
  return { summary, responses: { ...answers, ...Object.fromEntries(refused) }, ...rest };
}

/** Some of several words, separated by commas. */
const words = (name, choices, description) => ({
  ...query(name, { type: 'array', items: { enum: choices }, minItems: 1 }, description),
  style: 'form',
  explode: false,
});

const SORTS = ['createdAt', '-createdAt', 'name', '-name', 'bytes', '-bytes'];
const LIST_QUERY = [
  query('limit', { type: 'integer', minimum: 1, maximum: 100, default: 20 }, 'items a page'),
  words('status', STATES, 'only these'),
  words('kind', KINDS, 'only these'),
  query('q', { type: 'string', maxLength: 200 }, 'part of the name'),
  query('sort', { enum: SORTS, default: '-createdAt' }, 'order'),
];
const FRAMES_QUERY = [
  query('from', { type: 'integer', minimum: 0, maximum: 1e9, default: 0 }, 'first frame'),
  query('limit', { type: 'integer', minimum: 1, maximum: 1000, default: 300 }, 'frames a page'),
  words('fields', FRAME_DETAILS, 'of the people; all when it is missing'),
];
const UPLOAD = {
  required: true,
  content: {
    'multipart/form-data': {
      schema: {
        type: 'object',
        properties: { media: { type: 'string', format: 'binary' } },
        required: ['media'],
        additionalProperties: false,
      },
      encoding: { media: { contentType: MEDIA_TYPES.join(', ') } },
    },
  },
};
const STREAM = { 'text/event-stream': {} };
const HEALTH = {
  200: answer('MongoDB answers.', json('Health')),
  503: answer('It does not.', json('Health')),
};

const ANALYSES = {
  get: operation('A page of analyses', { 200: answer('A page.', json('List')) }, [400], {
    parameters: LIST_QUERY,
  }),
  post: operation(
    'Upload a photo or a clip',
    {
      200: answer('The same file is here already.', json('Accepted')),
      201: answer('Accepted: safe in the database, and in the queue.', json('Accepted')),
    },
    [400, 403, 404, 408, 413, 415],
    {
      parameters: [query('stance', { enum: STANCES, default: 'auto' }, 'how the rider stands')],
      requestBody: UPLOAD,
    },
  ),
};
const ANALYSIS = {
  get: operation('An analysis', { 200: answer('It.', json('Analysis')) }, [404]),
  patch: operation('Rename', { 200: answer('It.', json('Analysis')) }, [400, 403, 404, 413, 415], {
    requestBody: { required: true, ...json('Rename') },
  }),
  delete: operation(
    'Delete',
    { 204: answer('Gone; Undo-Until says until when it can come back.') },
    [403, 404],
  ),
};
const MEDIA = {
  200: answer('The whole.', bytes('*/*')),
  206: answer('A part.', bytes('*/*')),
  304: answer('As known.'),
};
const EXPORT = { 200: answer('A file.', { content: { 'application/json': {}, 'text/csv': {} } }) };

const PATHS = {
  '/live': {
    get: {
      summary: 'Does the process answer? If not, restart it',
      responses: { 200: answer('It does.', json('Live')) },
    },
  },
  '/health': { get: { summary: 'Can it work? Who is there', responses: HEALTH } },
  '/api/analyses': ANALYSES,
  '/api/analyses/{id}': ANALYSIS,
  '/api/analyses/{id}/restore': {
    post: operation('Undo a deletion', { 200: answer('It.', json('Analysis')) }, [403, 404, 409]),
  },
  '/api/analyses/{id}/retry': {
    post: operation(
      'Try a failed analysis again',
      { 202: answer('Queued.', json('Analysis')) },
      [403, 404, 409],
    ),
  },
  '/api/analyses/{id}/media': {
    get: operation('The photo or clip', MEDIA, [404, 416], {
      parameters: [query('download', { type: 'string' }, '1: as an attachment')],
    }),
  },
  '/api/analyses/{id}/thumbnail': {
    get: operation('A small picture', { 200: answer('It.', bytes('image/webp')), 304: MEDIA[304] }, [404]),
  },
  '/api/analyses/{id}/picture': {
    get: operation(
      'The copy of a photo that browsers cannot show',
      { 200: answer('It.', bytes('image/jpeg')), 304: MEDIA[304] },
      [404],
    ),
  },
  '/api/analyses/{id}/frames': {
    get: operation('Frames of a clip', { 200: answer('A page.', json('Frames')) }, [400, 404, 409], {
      parameters: FRAMES_QUERY,
    }),
  },
  '/api/analyses/{id}/export': {
    get: operation('All that was found', EXPORT, [400, 404, 409], {
      parameters: [query('format', { enum: ['json', 'csv'], default: 'json' }, 'of the file')],
    }),
  },
  '/api/analyses/{id}/events': {
    get: operation(
      'Progress as server-sent events: status, progress',
      {
        200: answer('A stream until the last state.', { content: STREAM }),
        204: answer('Nothing more will come.'),
      },
      [404],
    ),
  },
};

const ID = { in: 'path', name: 'id', required: true, schema: { type: 'string' } };

/** What this API offers (OpenAPI 3.1). */
export const OPENAPI = {
  openapi: '3.1.0',
  info: { title: 'snowboarding-backend-api', version: '0.1.0' },
  paths: Object.fromEntries(
    Object.entries(PATHS).map(([path, item]) => [
      path,
      path.includes('{id}') ? { parameters: [ID], ...item } : item,
    ]),
  ),
  components: { schemas: SCHEMAS },
};
