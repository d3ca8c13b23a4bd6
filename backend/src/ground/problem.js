import { STATUS_CODES } from 'node:http';

/**
 * An error that the client is told about, as RFC 9457 problem details.
 * `detail` is written for a person; `headers` go out with the answer (Allow, Retry-After).
 */
export class Problem extends Error {
  constructor(status, detail, { type = 'about:blank', title, headers = {}, cause } = {}) {
    super(detail, { cause });
    this.name = 'Problem';
    this.status = status;
    this.type = type;
    this.title = title ?? STATUS_CODES[status] ?? 'Error';
    this.headers = headers;
  }

  /** @returns {{type: string, title: string, status: number, detail: string}} */
  toJSON() {
    return { type: this.type, title: this.title, status: this.status, detail: this.message };
  }
}

/**
 * Any thrown value as a Problem: what Express itself refused keeps its 4xx status,
 * a database that is away is 503, everything else is a 500 that tells nothing of the inside.
 *
 * @param {unknown} error
 * @param {(error: unknown) => string | null} describeOutage
 */
export function toProblem(error, describeOutage) {
  if (error instanceof Problem) return error;
  const outage = describeOutage(error);
  if (outage) return new Problem(503, outage, { headers: { 'Retry-After': '2' }, cause: error });
  if (error?.status >= 400 && error.status < 500) {
    return new Problem(error.status, error.message, { cause: error });
  }
  return new Problem(500, 'Something went wrong inside the API; its log holds the reason.', { cause: error });
}
