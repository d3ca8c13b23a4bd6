// @vitest-environment node
import { once } from 'node:events'
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { request as sendRequest } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

import { afterEach, beforeEach, expect, it } from 'vitest'

import { createPageServer } from '../server/page-server.js'

const PAGE = '<div id="root"></div>'
let folder
let server
let port

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'page-'))
  await mkdir(join(folder, 'assets'))
  await writeFile(join(folder, 'index.html'), PAGE)
  await writeFile(join(folder, 'assets', 'app-1.js'), 'let page')
  await writeFile(join(folder, 'assets', 'app-1.js.gz'), gzipSync('let page'))
  server = createPageServer({ folder, apiUrl: 'http://127.0.0.1:9', hosts: ['rider.example.org'] })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = server.address().port
})
afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true })
})

/** Status, headers and body of a request whose path is sent exactly as it is. */
async function ask(path, { method = 'GET', headers = {} } = {}) {
  const request = sendRequest({ port, host: '127.0.0.1', path, method, headers })
  request.end()
  const [response] = await once(request, 'response')
  const chunks = await response.toArray()
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() }
}

it('serves the page, asked for again each time, with a policy that trusts its own files only', async () => {
  const { status, headers, body } = await ask('/')
  expect([status, body]).toEqual([200, PAGE])
  expect(headers['cache-control']).toBe('no-cache')
  expect(headers['x-content-type-options']).toBe('nosniff')
  const policy = headers['content-security-policy'].split('; ')
  expect(policy).toEqual(expect.arrayContaining(["default-src 'none'", "script-src 'self'", "style-src 'self'"]))
})

it('serves compressed files to those who take them, to be kept for a year', async () => {
  const { headers } = await ask('/assets/app-1.js', { headers: { 'Accept-Encoding': 'gzip' } })
  expect(headers['content-encoding']).toBe('gzip')
  expect(headers['content-type']).toContain('text/javascript')
  expect(headers['cache-control']).toBe('public, max-age=31536000, immutable')
  const plain = await ask('/assets/app-1.js', { headers: { 'Accept-Encoding': 'identity' } })
  expect(plain.body).toBe('let page')
})

it.each([
  '/../package.json',
  '/%2e%2e/package.json',
  '/assets/',
  '/assets/none.js',
  '/%E0%A4%A',
  '//etc/passwd',
  '/%00',
])('finds nothing at %s', async (path) => {
  expect((await ask(path)).status).toBe(404)
})

it('takes nothing but GET and HEAD', async () => {
  const { status, headers } = await ask('/', { method: 'POST' })
  expect([status, headers.allow]).toEqual([405, 'GET, HEAD'])
})

it.each([
  ['localhost', 200],
  ['127.0.0.1:80', 200],
  ['[::1]', 200],
  ['rider.example.org', 200],
  ['other.example.org', 403],
  ['localhost.example.org', 403],
])('answers the host %s with %i', async (host, status) => {
  expect((await ask('/', { headers: { host } })).status).toBe(status)
  expect((await ask('/api/health', { headers: { host } })).status).toBe(status === 200 ? 502 : 403)
})

it('closes a connection that says nothing', async () => {
  const silent = connect(port, '127.0.0.1')
  silent.resume()
  const half = connect(port, '127.0.0.1')
  half.write('GET / HTTP/1.1\r\nHost: local')
  half.resume()
  await Promise.all([once(silent, 'close'), once(half, 'close')])
})
