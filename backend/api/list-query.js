import { ObjectId } from 'mongodb';
import { KINDS, STATES } from '../src/store/analysis.js';
import { Problem } from '../src/ground/problem.js';
import { readChoice, readChoices, readInteger } from './query.js';

const FIELDS = { createdAt: '_id', name: 'metadata.name', bytes: 'length' };
const SORTS = Object.keys(FIELDS).flatMap((name) => [name, `-${name}`]);
const NEWEST_FIRST = '-createdAt';
const MAX_TEXT = 200;

/**
 * The query of a list as a question to the database.
 *
 * @param {object} query  limit, status, kind, q, sort, after (of `next`), before (an id, newest first only)
 * @returns {{limit: number, filter: object, after: object, sort: object, order: Order}}
 * @throws {Problem} 400
 */
export function parseListQuery(query) {
  const limit = readInteger(query, 'limit', { fallback: 20, min: 1, max: 100 });
  const order = new Order(readChoice(query, 'sort', SORTS, NEWEST_FIRST));
  return { limit, filter: readFilter(query), after: readAfter(query, order), sort: order.sort, order };
}

/** The path of the page that begins behind a document. */
export function locateNext(query, order, file) {
  const parameters = new URLSearchParams({ ...query, after: order.mark(file) });
  parameters.delete('before');
  return `/api/analyses?${parameters}`;
}

/** In which order the list is, and how a place in it is written down. */
class Order {
  constructor(sort) {
    this.isNewestFirst = sort === NEWEST_FIRST;
    this.field = FIELDS[sort.replace('-', '')];
    this.direction = sort.startsWith('-') ? -1 : 1;
    this.sort =
      this.field === '_id' ? { _id: this.direction } : { [this.field]: this.direction, _id: this.direction };
  }

  mark(file) {
    const values = { _id: null, 'metadata.name': file.metadata.name, length: file.length };
    return Buffer.from(JSON.stringify([file._id.toHexString(), values[this.field]])).toString('base64url');
  }

  behind(id, value) {
    const beyond = this.direction > 0 ? '$gt' : '$lt';
    const sameButLater = { _id: { [beyond]: ObjectId.createFromHexString(id) } };
    if (this.field === '_id') return sameButLater;
    return { $or: [{ [this.field]: { [beyond]: value } }, { [this.field]: value, ...sameButLater }] };
  }
}

function readFilter(query) {
  const statuses = readChoices(query, 'status', STATES);
  const kinds = readChoices(query, 'kind', KINDS);
  const text = readText(query.q);
  return {
    ...(statuses && { 'metadata.status': { $in: statuses } }),
    ...(kinds && { 'metadata.kind': { $in: kinds } }),
    ...(text && { $or: [{ 'metadata.name': text }, { filename: text }] }),
  };
}

function readText(text = '') {
  if (typeof text !== 'string' || text.length > MAX_TEXT || text.includes('\0')) {
    throw new Problem(400, `q is a text of at most ${MAX_TEXT} characters.`);
  }
  return text && { $regex: text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&'), $options: 'i' };
}

function readAfter({ after, before }, order) {
  if (after !== undefined) return readMark(after, order);
  if (before === undefined) return {};
  if (isId(before) && order.isNewestFirst) return order.behind(before);
  throw new Problem(
    400,
    'before is the id of an analysis, and only for the newest first; `next` knows the way.',
  );
}

function readMark(after, order) {
  try {
    const [id, value] = JSON.parse(Buffer.from(after, 'base64url').toString());
    const isValue = ['string', 'number'].includes(typeof value) || value === null;
    if (isId(id) && isValue) return order.behind(id, value);
  } catch {
    // Not ours.
  }
  throw new Problem(400, 'after is part of the `next` of an answer.');
}

function isId(text) {
  return typeof text === 'string' && /^[0-9a-f]{24}$/i.test(text);
}
