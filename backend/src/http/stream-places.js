import { Problem } from '../ground/problem.js';

const RETRY_SECONDS = 30;

/** How many event streams one address has open: each holds a connection and is told of every change. */
export class StreamPlaces {
  /** @param {{streamsPerClient: number}} settings  0: no limit */
  constructor({ streamsPerClient }) {
    this.limit = streamsPerClient;
    this.open = new Map();
  }

  /** @throws {Problem} 429 when the address has too many; the end of the response frees the place */
  take(request, response) {
    const { ip } = request;
    const count = this.open.get(ip) ?? 0;
    if (this.limit > 0 && count >= this.limit) {
      const detail = `More than ${this.limit} event streams are open from one address.`;
      throw new Problem(429, detail, { headers: { 'Retry-After': String(RETRY_SECONDS) } });
    }
    this.open.set(ip, count + 1);
    response.once('close', () => this.leave(ip));
  }

  leave(ip) {
    const count = this.open.get(ip) - 1;
    if (count > 0) this.open.set(ip, count);
    else this.open.delete(ip);
  }
}
