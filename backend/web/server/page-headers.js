const SELF = "'self'"
const NONE = "'none'"

const POLICY = {
  'default-src': [NONE],
  'base-uri': [NONE],
  'connect-src': [SELF],
  'font-src': [SELF],
  'form-action': [NONE],
  'frame-ancestors': [NONE],
  // A photo is previewed from memory before it is sent.
  'img-src': [SELF, 'blob:'],
  'media-src': [SELF],
  'script-src': [SELF],
  'style-src': [SELF],
}

/** Headers of the page and its files. `more` adds sources to the directives of the policy: `{ 'style-src': [...] }`. */
export function describePageHeaders(more = {}) {
  const directives = Object.entries(POLICY).map(([name, sources]) =>
    [name, ...sources, ...(more[name] ?? [])].join(' '),
  )
  return {
    'Content-Security-Policy': directives.join('; '),
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  }
}
