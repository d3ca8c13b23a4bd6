// @vitest-environment node
import { once } from 'node:events'
import { createServer as createHttpServer, get } from 'node:http'

import { createServer } from 'vite'
import { afterEach, describe, expect, it } from 'vitest'

import { createProxyTable } from '../server/api-proxy.js'
import { createPageServer } from '../server/page-server.js'

const open = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((close) => close()))
})

/** Address of a real Vite server whose proxy points at `target`. */
async function startVite(target) {
  const server = await createServer({
    configFile: false,
    logLevel: 'silent',
    server: { host: '127.0.0.1', port: 0, ws: false, hmr: false, watch: null, proxy: createProxyTable(target) },
    optimizeDeps: { noDiscovery: true },
  })
  await server.listen()
  open.push(() => server.close())
  return `http://127.0.0.1:${server.httpServer.address().port}`
}

/** Address of the server of the built page; it has no files here. */
function startPageServer(target) {
  return listen(createPageServer({ folder: 'public', apiUrl: target, hosts: [] }))
}

function startApi(handler) {
  return listen(createHttpServer(handler))
}

async function listen(server) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${server.address().port}`
}

describe.each([
  ['development', startVite],
  ['static', startPageServer],
])('proxy of the %s server', (_, startPage) => {
  it('passes a request with its query on, and the answer back', async () => {
    const api = await startApi((request, response) => response.end(JSON.stringify({ url: request.url })))
    const page = await startPage(api)
    const response = await fetch(`${page}/api/analyses?limit=3`)
    expect(await response.json()).toEqual({ url: '/api/analyses?limit=3' })
  })

  it('keeps a request of the page itself one of its own origin, and that of another page foreign', async () => {
    const api = await startApi((request, response) => response.end(request.headers.origin))
    const page = await startPage(api)
    const originOf = async (Origin) => (await fetch(`${page}/api/analyses`, { headers: { Origin } })).text()
    expect(await originOf(page)).toBe(api)
    expect(await originOf('http://rider.example.org')).toBe('http://rider.example.org')
    expect(await originOf('null')).toBe('null')
  })

  it('answers with a problem document when nothing listens, also after a large upload', async () => {
    const page = await startPage('http://127.0.0.1:9')
    const body = new Uint8Array(5_000_000)
    const response = await fetch(`${page}/api/analyses`, { method: 'POST', body })
    expect(response.status).toBe(502)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await response.json()).toMatchObject({ status: 502, title: 'The API is not reachable' })
  })

  it('answers with a problem document when the API hangs up', async () => {
    const api = await startApi((request) => request.socket.destroy())
    const page = await startPage(api)
    const response = await fetch(`${page}/api/analyses`)
    expect(response.status).toBe(504)
    expect((await response.json()).detail).toContain('did not answer')
  })

  it('passes an event on when it comes, and breaks the stream off when the API is gone', async () => {
    let hangUp
    const api = await startApi((request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      response.write('retry: 1000\n\n')
      hangUp = () => request.socket.destroy()
    })
    const page = await startPage(api)
    const [response] = await once(get(`${page}/api/analyses/1/events`, { agent: false }), 'response')
    const [first] = await once(response, 'data')
    expect(first.toString()).toBe('retry: 1000\n\n')
    const ended = new Promise((resolve) => response.on('error', resolve).on('end', resolve))
    hangUp()
    // Without it the browser waits for ever.
    await ended
  })
})
