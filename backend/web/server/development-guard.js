import { createHash } from 'node:crypto'

import react from '@vitejs/plugin-react'

import { isApiPath } from './api-proxy.js'
import { describePageHeaders } from './page-headers.js'

const ENTRY = '/src/main.jsx'
// Programs of packages, Vite's door to the developer's editor, and files outside of the project.
const CLOSED = [/\/node_modules\/(.*\/)?\.?bin(\/|$)/, /^\/__open-in-editor/]

/**
 * Vite plugin: the development server is asked by more than its developer. It sends the page's headers, answers 404
 * for what no page needs, and shows an error on the open pages only when these pages run the broken module.
 */
export function guardDevelopment() {
  return {
    name: 'guard-development',
    apply: 'serve',
    configureServer(server) {
      const headers = Object.entries(describeDevelopmentHeaders(server.config.base))
      server.middlewares.use(function guardRequest(request, response, next) {
        if (isApiPath(request.url)) return next()
        for (const [name, value] of headers) response.setHeader(name, value)
        if (isClosed(request.url)) return answerText(response, 404, 'Not found')
        return next()
      })
      // After Vite's own middleware and before its handler of errors, which tells every open page.
      return () => {
        server.middlewares.use(function guardError(error, request, response, next) {
          isOfThePage(server, request.url).then(
            (isReal) => (isReal ? next(error) : answerText(response, 500, error.message)),
            () => answerText(response, 500, error.message),
          )
        })
      }
    },
  }
}

// The plugin for React writes one script into the page, and Vite's client adds the styles as elements.
function describeDevelopmentHeaders(base) {
  const preamble = react.preambleCode.replace('__BASE__', base)
  const digest = createHash('sha256').update(preamble).digest('base64')
  return describePageHeaders({ 'script-src': [`'sha256-${digest}'`], 'style-src': ["'unsafe-inline'"] })
}

function isClosed(url) {
  try {
    return CLOSED.some((pattern) => pattern.test(decodeURI(url)))
  } catch {
    return true
  }
}

/** Does the page itself load this module, as its entry or through what the entry imports? */
async function isOfThePage({ environments: { client } }, url) {
  const path = withoutVitesMarks(url)
  if (path === ENTRY) return true
  const entry = await client.moduleGraph.getModuleByUrl(ENTRY)
  const broken = await client.moduleGraph.getModuleByUrl(path)
  return Boolean(entry && broken) && isImportedBy(broken, entry, new Set())
}

// Vite's client adds the time of a change and a word for "imported by a script"; anything else is another module.
function withoutVitesMarks(url) {
  const [path, query = ''] = url.split('?')
  const left = query.split('&').filter((part) => part && part !== 'import' && !/^t=\d+$/.test(part))
  return left.length > 0 ? `${path}?${left.join('&')}` : path
}

function isImportedBy(module, entry, seen) {
  if (module === entry) return true
  if (seen.has(module)) return false
  seen.add(module)
  return [...module.importers].some((importer) => isImportedBy(importer, entry, seen))
}

function answerText(response, status, text) {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' })
  response.end(`${text}\n`)
}
