import { createServer } from 'node:http'

import { hostValidationMiddleware } from 'host-validation-middleware'
import { createProxyServer } from 'httpxy'
import sirv from 'sirv'

import { describeProxy, handleProxyEvents, isApiPath } from './api-proxy.js'
import { describePageHeaders } from './page-headers.js'

const HEADERS_TIMEOUT_MS = 10_000
const CHECK_MS = 2_000
const MOST_CONNECTIONS = 2_000
const YEAR_SECONDS = 365 * 24 * 3600

/**
 * Server of the built page in `folder`: its files as they were compressed by the build, and a proxy for the API.
 * Requests for another host than `hosts` (see readSettings) are answered with 403.
 */
export function createPageServer({ folder, apiUrl, hosts }) {
  const serveFile = sirv(folder, { etag: true, brotli: true, gzip: true, setHeaders: setCaching })
  const proxy = createProxyServer(describeProxy(apiUrl))
  handleProxyEvents(proxy, apiUrl)
  const checkHost = hostValidationMiddleware({ allowedHosts: Object.freeze(hosts) })
  const headers = Object.entries(describePageHeaders())

  function answer(request, response) {
    if (isApiPath(request.url)) return proxy.web(request, response).catch(() => response.destroy())
    for (const [name, value] of headers) response.setHeader(name, value)
    if (!['GET', 'HEAD'].includes(request.method)) return answerText(response, 405, { Allow: 'GET, HEAD' })
    return serveFile(request, response, () => answerText(response, 404))
  }

  // The time for a whole request is the API's to limit: a clip may take long on its way.
  const timeouts = { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: 0, connectionsCheckingInterval: CHECK_MS }
  const server = createServer(timeouts, (request, response) =>
    checkHost(request, response, () => answer(request, response)),
  )
  server.maxConnections = MOST_CONNECTIONS
  return server
}

function answerText(response, status, headers = {}) {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store', ...headers })
  response.end({ 404: 'Not found\n', 405: 'Only GET and HEAD are possible here\n' }[status])
}

// The build puts a digest into the name of everything below assets: such a file never changes.
function setCaching(response, path) {
  response.setHeader(
    'Cache-Control',
    path.startsWith('/assets/') ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache',
  )
}
