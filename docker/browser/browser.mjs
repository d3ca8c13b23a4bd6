// Chromium opens its debugging port on 127.0.0.1 only; this passes connections from outside on to it.
import { spawn } from 'node:child_process'
import { connect, createServer } from 'node:net'

const OUTSIDE_PORT = 9223
const INSIDE_PORT = 9222

// The container is Chromium's sandbox; its own needs privileges that a container does not have.
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--user-data-dir=/tmp/profile',
  `--remote-debugging-port=${INSIDE_PORT}`,
]

const chromium = spawn('chromium', FLAGS, { stdio: 'inherit' })
chromium.on('error', (error) => {
  console.error(error.message)
  process.exit(1)
})
chromium.on('exit', (code) => process.exit(code ?? 0))
process.on('SIGTERM', () => chromium.kill())

const server = createServer((outside) => {
  const inside = connect(INSIDE_PORT, '127.0.0.1')
  outside.pipe(inside).pipe(outside)
  outside.on('error', () => inside.destroy())
  inside.on('error', () => outside.destroy())
})
server.listen(OUTSIDE_PORT, '0.0.0.0')
