/** The server's clock: processes of the API may disagree about the time. */
export const NOW = '$$NOW';

/** A time from now on the server's clock. */
export function fromNow(milliseconds) {
  return { $add: [NOW, milliseconds] };
}

/** A value as it is, also where it holds dollar signs. */
export function literal(value) {
  return { $literal: value };
}

/**
 * The stage of an update pipeline that moves an analysis to a status and makes that visible.
 *
 * @param {string} status
 * @param {Record<string, unknown>} fields  name in `metadata` -> expression
 */
export function moveTo(status, fields = {}) {
  const entry = { status, at: NOW, revision: NEXT_REVISION };
  return {
    $set: {
      'metadata.status': status,
      'metadata.revision': NEXT_REVISION,
      'metadata.history': { $slice: [{ $concatArrays: ['$metadata.history', [entry]] }, -MAX_HISTORY] },
      ...prefix(fields),
    },
  };
}

/** The stage that sets fields of `metadata`; visible to listeners only with `revision: NEXT_REVISION`. */
export function set(fields) {
  return { $set: prefix(fields) };
}

/** The stage that removes fields of `metadata`. */
export function unset(...names) {
  return { $unset: names.map((name) => `metadata.${name}`) };
}

export const NEXT_REVISION = { $add: ['$metadata.revision', 1] };

const MAX_HISTORY = 100;

function prefix(fields) {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [`metadata.${name}`, value]));
}
