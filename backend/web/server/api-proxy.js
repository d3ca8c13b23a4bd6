const ANSWER_TIMEOUT_MS = 60_000

/** True for the paths that the API answers. */
export function isApiPath(url) {
  return /^\/api([/?]|$)/.test(url)
}

/** How requests go on to the API at `target`: options of http-proxy, which Vite and the static server both take. */
export function describeProxy(target) {
  return { target, changeOrigin: true, proxyTimeout: ANSWER_TIMEOUT_MS }
}

/** Vite's proxy table for the API. */
export function createProxyTable(target) {
  return { '^/api([/?]|$)': { ...describeProxy(target), configure: (proxy) => handleProxyEvents(proxy, target) } }
}

/**
 * Problems become problem documents (RFC 9457): 502 for a target that cannot be reached, 504 for one that was too slow.
 * A request from the page itself keeps counting as one of the API's own origin, although the API sees another Host.
 */
export function handleProxyEvents(proxy, target) {
  proxy.on('proxyReq', (sent, request) => {
    if (isOwnOrigin(request)) sent.setHeader('Origin', new URL(target).origin)
  })
  proxy.on('proxyRes', endWithTheApi)
  proxy.on('error', (error, request, response) => {
    if (typeof response?.writeHead !== 'function' || response.headersSent) return
    // An upload may still be on its way: read it to its end, or the browser sees a reset and no answer.
    request.resume()
    const problem = describeProxyError(error)
    response.writeHead(problem.status, { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' })
    response.end(JSON.stringify(problem))
  })
}

function isOwnOrigin({ headers: { origin, host } }) {
  try {
    return new URL(origin).host === host
  } catch {
    return false
  }
}

/** An answer that the API broke off is broken off here too: otherwise a stream of events stays open and silent. */
function endWithTheApi(answer, request, response) {
  answer.on('close', () => {
    if (!answer.complete) response.destroy()
  })
}

/** Problem document for a connection error of the proxy: `ECONNRESET` after the wait is 504, all else 502. */
export function describeProxyError(error) {
  const late = error.code === 'ECONNRESET' || error.code === 'ETIMEDOUT'
  const detail = late
    ? 'The API took the request and did not answer in time. Try again; if it stays, read its log.'
    : `The API cannot be reached (${error.code || error.message}). It may still be starting.`
  return {
    type: `urn:frontend:problem:${late ? 'api-silent' : 'api-unreachable'}`,
    title: late ? 'The API did not answer' : 'The API is not reachable',
    status: late ? 504 : 502,
    detail,
  }
}
