import assert from 'node:assert/strict';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { OPENAPI } from '../src/http/openapi.js';

const ajv = addFormats(new Ajv({ strict: false, allErrors: true }));
ajv.addSchema(OPENAPI, 'openapi');

/** Find the path of the description that an address belongs to. */
function findPath(pathname) {
  const matches = (path) => new RegExp(`^${path.replace('{id}', '[^/]+')}$`).test(pathname);
  const found = Object.keys(OPENAPI.paths).find(matches);
  assert.ok(found, `${pathname} is not described`);
  return found;
}

/**
 * Check an answer against the description: status, media type and body.
 *
 * @param {string} method @param {Response} response
 * @returns {Promise<unknown>} its JSON body, undefined when it is none
 */
export async function assertAsDescribed(method, response) {
  const path = findPath(new URL(response.url).pathname);
  const operation = OPENAPI.paths[path][method.toLowerCase()];
  const described = operation?.responses[response.status];
  assert.ok(described, `${method} ${path}: status ${response.status} is not described`);
  if (!described.content) return undefined;
  const [type] = (response.headers.get('Content-Type') ?? '').split(';');
  const media = described.content[type] ?? described.content['*/*'];
  assert.ok(media, `${method} ${path} ${response.status}: ${type} is not described`);
  if (!type.endsWith('json') || !media.schema) return undefined;
  const body = await response.json();
  const key = [path, method.toLowerCase(), 'responses', response.status, 'content', type, 'schema'];
  const pointer = key
    .map((part) => String(part).replaceAll('~', '~0').replaceAll('/', '~1'))
    .map(encodeURIComponent);
  const validate = ajv.getSchema(`openapi#/paths/${pointer.join('/')}`);
  assert.ok(validate(body), `${method} ${path} ${response.status}: ${ajv.errorsText(validate.errors)}`);
  return body;
}
