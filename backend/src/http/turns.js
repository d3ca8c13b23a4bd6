import { PROBE_PATHS } from './probe-paths.js';
import { Problem } from '../ground/problem.js';

/**
 * How many requests are worked on at a time, and how long others wait. Answers are short work; transfers
 * hold pieces of a file in memory for as long as the other side is slow. Probes and event streams take
 * no place (streams have a limit of their own).
 */
const PLACES = {
  answers: { places: 32, waitMs: 5000 },
  transfers: { places: 64, waitMs: 15_000 },
};

/**
 * Middleware: work on some requests at a time and let the others wait in order. Thousands at once would
 * only take turns in the event loop, all of them slow, and health among them.
 */
export function takeTurns() {
  const lines = Object.fromEntries(Object.entries(PLACES).map(([name, limits]) => [name, new Line(limits)]));
  return function takeTurn(request, response, next) {
    const line = lines[findLine(request)];
    if (!line) return next();
    line.enter(response, next);
  };
}

function findLine({ method, path }) {
  if (PROBE_PATHS.has(path) || path.endsWith('/events')) return null;
  const isUpload = method === 'POST' && path === '/api/analyses';
  return isUpload || /\/(media|picture|export)$/.test(path) ? 'transfers' : 'answers';
}

/** A number of places, and who waits for one. */
export class Line {
  constructor({ places, waitMs }) {
    Object.assign(this, { free: places, waitMs });
    this.waiting = new Set();
  }

  /** @param {import('node:http').ServerResponse} response  its end frees the place @param {Function} next */
  enter(response, next) {
    const turn = { response, next };
    response.once('close', () => this.leave(turn));
    if (this.free > 0) return this.begin(turn);
    this.waiting.add(turn);
    turn.timer = setTimeout(() => this.refuse(turn), this.waitMs);
  }

  begin(turn) {
    this.free -= 1;
    turn.hasPlace = true;
    clearTimeout(turn.timer);
    turn.next();
  }

  leave(turn) {
    clearTimeout(turn.timer);
    if (this.waiting.delete(turn) || !turn.hasPlace) return;
    this.free += 1;
    const [first] = this.waiting;
    if (!first) return;
    this.waiting.delete(first);
    this.begin(first);
  }

  refuse(turn) {
    this.waiting.delete(turn);
    turn.next(busy(`Too many requests at a time; none became free within ${this.waitMs / 1000} s.`));
  }
}

/** @returns {Problem} 503 for a crowd: everything is there, and soon has time */
export function busy(detail) {
  return new Problem(503, detail, { headers: { 'Retry-After': '2' } });
}
