import { createPageServer } from './page-server.js'
import { readSettings } from './settings.js'

const PORT = 5173
// Streams of events have no end of their own.
const GRACE_MS = 1_000

const server = createPageServer({ folder: 'dist', ...readSettings(process.env) })
server.listen(PORT, '0.0.0.0', () => console.log(`The page is served on port ${PORT}`))

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    server.close(() => process.exit(0))
    server.closeIdleConnections()
    setTimeout(() => server.closeAllConnections(), GRACE_MS).unref()
  })
}
