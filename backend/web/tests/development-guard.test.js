// @vitest-environment node
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { createServer } from 'vite'
import { afterEach, beforeEach, expect, it } from 'vitest'

import { guardDevelopment } from '../server/development-guard.js'

const FILES = {
  'index.html': '<!doctype html><script type="module" src="/src/main.jsx"></script>',
  'src/main.jsx': "import './shown.js'\nimport('./later.js')\n",
  'src/shown.js': 'export const shown = 1\n',
  'src/later.js': 'export const later = 1\n',
  'src/draft.js': "import './broken.js'\n",
  'src/broken.js': 'export const broken = (\n',
  'notes.md': '# no module\n',
}
let root
let vite
let page
let told

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'guard-'))
  await mkdir(join(root, 'src'))
  await Promise.all(Object.entries(FILES).map(([name, text]) => writeFile(join(root, name), text)))
  vite = await createServer({
    configFile: false,
    root,
    logLevel: 'silent',
    plugins: [guardDevelopment()],
    server: { host: '127.0.0.1', port: 0, watch: null, cors: false },
    optimizeDeps: { noDiscovery: true },
  })
  await vite.listen()
  page = `http://127.0.0.1:${vite.httpServer.address().port}`
  // What Vite sends to every open page.
  told = []
  vite.environments.client.hot.send = (message) => told.push(message.type)
  await ask('/src/main.jsx')
})
afterEach(async () => {
  await vite.close()
  await rm(root, { recursive: true })
})

async function ask(path) {
  const response = await fetch(page + path, { headers: { 'Sec-Fetch-Dest': 'script' } })
  return response.status
}

async function save(name, text) {
  await writeFile(join(root, name), text)
  vite.moduleGraph.onFileChange(join(root, name))
}

it.each(['/notes.md?import', '/src/broken.js', '/src/draft.js?t=1', '/src/shown.js?html-proxy&index=1.js'])(
  'keeps the error of %s to the one who asked',
  async (path) => {
    await ask('/src/draft.js')
    const statuses = [await ask(path), await ask('/src/broken.js?import')]
    expect(statuses).toContain(500)
    expect(told).toEqual([])
  },
)

it.each(['/src/main.jsx', '/src/shown.js', '/src/later.js?import&t=17', '/src/shown.js?t=17'])(
  'tells the open pages that their own %s is broken',
  async (path) => {
    await save(path.slice(1).split('?')[0], 'export const broken = (\n')
    expect(await ask(path)).toBe(500)
    expect(told).toEqual(['error'])
  },
)

it.each([
  '/node_modules/vite/bin/vite.js',
  '/node_modules/.bin/vite',
  '/node_modules/%62in/a',
  '/__open-in-editor',
  '/%',
])('finds nothing at %s', async (path) => {
  expect(await ask(path)).toBe(404)
})

it('allows the one script that the plugin for React writes into the page', async () => {
  const response = await fetch(page)
  const policy = response.headers.get('content-security-policy')
  expect(policy).toMatch(/script-src 'self' 'sha256-[\w+/]{43}='/)
  expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  expect(response.headers.get('access-control-allow-origin')).toBeNull()
})
