// @vitest-environment node
import { once } from 'node:events'
import { createServer as createHttpServer, get } from 'node:http'

import { createServer } from 'vite'
import { afterEach, expect, it } from 'vitest'

import { createApiProxy } from '../vite.proxy.js'

const open = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()))
})

/** Address of a real Vite server whose proxy points at `target`. */
async function startVite(target) {
  const server = await createServer({
    configFile: false,
    logLevel: 'silent',
    server: { host: '127.0.0.1', port: 0, ws: false, hmr: false, watch: null, proxy: createApiProxy(target) },
    optimizeDeps: { noDiscovery: true },
  })
  await server.listen()
  open.push(server)
  return `http://127.0.0.1:${server.httpServer.address().port}`
}

async function startApi(handler) {
  const server = createHttpServer(handler)
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push({ close: () => new Promise((resolve) => server.close(resolve)) })
  return `http://127.0.0.1:${server.address().port}`
}

it('passes a request with its query on, and the answer back', async () => {
  const api = await startApi((request, response) => response.end(JSON.stringify({ url: request.url })))
  const page = await startVite(api)
  const response = await fetch(`${page}/api/analyses?limit=3`)
  expect(await response.json()).toEqual({ url: '/api/analyses?limit=3' })
})

it('answers with a problem document when nothing listens, also after a large upload', async () => {
  const page = await startVite('http://127.0.0.1:9')
  const body = new Uint8Array(5_000_000)
  const response = await fetch(`${page}/api/analyses`, { method: 'POST', body })
  expect(response.status).toBe(502)
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(await response.json()).toMatchObject({ status: 502, title: 'The API is not reachable' })
})

it('answers with a problem document when the API hangs up', async () => {
  const api = await startApi((request) => request.socket.destroy())
  const page = await startVite(api)
  const response = await fetch(`${page}/api/analyses`)
  expect(response.status).toBe(504)
  expect((await response.json()).detail).toContain('did not answer')
})

it('breaks a stream off when the API is gone', async () => {
  const api = await startApi((request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.write('retry: 1000\n\n', () => setTimeout(() => request.socket.destroy(), 500))
  })
  const page = await startVite(api)
  const [response] = await once(get(`${page}/api/analyses/1/events`, { agent: false }), 'response')
  const ended = new Promise((resolve) => response.on('error', resolve).on('end', resolve))
  response.resume()
  // Without it the browser waits for ever.
  await ended
})
