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
// A client that sends or takes less than this while others wait for a place only holds its own.
const LEAST_BYTES_PER_SECOND = 1024;

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
    this.holding = new Set();
    this.waiting = new Set();
  }

  /** @param {import('node:http').ServerResponse} response  its end frees the place @param {Function} next */
  enter(response, next) {
    const turn = { response, next };
    response.once('close', () => this.leave(turn));
    if (this.free > 0) return this.begin(turn);
    this.waiting.add(turn);
    turn.before = new Map([...this.holding].map((one) => [one, countBytes(one)]));
    turn.timer = setTimeout(() => this.giveUp(turn), this.waitMs);
  }

  begin(turn) {
    this.free -= 1;
    this.holding.add(turn);
    clearTimeout(turn.timer);
    turn.next();
  }

  leave(turn) {
    clearTimeout(turn.timer);
    if (this.waiting.delete(turn) || !this.holding.delete(turn)) return;
    this.free += 1;
    const [first] = this.waiting;
    if (!first) return;
    this.waiting.delete(first);
    this.begin(first);
  }

  /** Nothing became free: the place of a client that stands still does, else the turn is refused. */
  giveUp(turn) {
    const idle = [...this.holding].find((one) => !one.isEnded && this.isIdle(one, turn.before.get(one)));
    if (!idle) return this.refuse(turn);
    idle.isEnded = true;
    // Its end begins the turn of whoever waits longest.
    idle.response.socket.destroy();
  }

  isIdle(turn, bytesBefore) {
    const most = (LEAST_BYTES_PER_SECOND * this.waitMs) / 1000;
    return countBytes(turn) - bytesBefore < most && isWaitedFor(turn.response);
  }

  refuse(turn) {
    this.waiting.delete(turn);
    turn.next(busy(`Too many requests at a time; none became free within ${this.waitMs / 1000} s.`));
  }
}

function countBytes({ response: { socket } }) {
  return socket ? socket.bytesRead + socket.bytesWritten : 0;
}

/** Whether the other side is what a request waits for, and nothing of ours. */
function isWaitedFor(response) {
  const { req: request } = response;
  const sendsNothing = !request.complete && request.readableFlowing && request.readableLength === 0;
  return sendsNothing || response.writableNeedDrain;
}

/** @returns {Problem} 503 for a crowd: everything is there, and soon has time */
export function busy(detail) {
  return new Problem(503, detail, { headers: { 'Retry-After': '2' } });
}
