/**
 * An answer that is not the one asked for, in the shape of RFC 9457.
 * `status` is the HTTP status, 0 when there was no answer at all.
 */
export class ProblemError extends Error {
  constructor({ title, detail = '', status = 0 }) {
    super(detail ? `${title}: ${detail}` : title)
    this.name = 'ProblemError'
    this.title = title
    this.detail = detail
    this.status = status
  }

  /** True when trying the same again later may help: no answer, or a part of the stack is down. */
  get isTemporary() {
    return [0, 408, 429].includes(this.status) || this.status >= 502
  }
}

// Problems that are titled with the bare phrase of their status, "Unprocessable Entity": TITLES say it for people.
const BARE_TYPE = /^(about:blank$|urn:pose-service:)/
const TITLES = {
  400: 'The request was not understood',
  404: 'Not found',
  408: 'The upload took too long',
  409: 'This is not possible right now',
  413: 'The file is too large',
  415: 'This kind of file is not supported',
  422: 'The file cannot be read',
  429: 'Too many requests',
  500: 'The service made an error',
  502: 'A part of the stack is not reachable',
  503: 'The service is not ready',
  504: 'The service took too long',
}

/** Problem from an HTTP status and the text of its body; a body that is no problem document still gives a title. */
export function parseProblem(status, text) {
  return toProblem(parseJson(text), status)
}

/** Problem from a problem document, also one that is kept in an analysis. */
export function toProblem(body, status = body.status) {
  return new ProblemError({ title: chooseTitle(status, body), detail: textOf(body?.detail), status })
}

/** Problem for a request that got no answer: the page's own server is gone or the network is. */
export function describeSilence() {
  return new ProblemError({
    title: 'No answer',
    detail: 'The server of this page cannot be reached. Check that the stack is up.',
  })
}

function chooseTitle(status, body) {
  const isBare = BARE_TYPE.test(body?.type ?? 'about:blank')
  const title = textOf(body?.title)
  return (isBare && TITLES[status]) || title || TITLES[status] || `The request failed (${status})`
}

function textOf(value) {
  return typeof value === 'string' ? value : ''
}

function parseJson(text) {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
