import { tmpdir } from 'node:os'
import { join } from 'node:path'

import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

import { createApiProxy } from './vite.proxy.js'

const proxy = createApiProxy(process.env.API_URL || 'http://127.0.0.1:3001')
// 127.0.0.1, [::1] and localhost are always allowed; other containers ask by the service's name.
const allowedHosts = ['frontend', 'host.docker.internal']
const listen = { host: '0.0.0.0', port: 5173, strictPort: true, allowedHosts, proxy }

export default defineConfig({
  plugins: [react()],
  // Outside the project: the source folders are mounted read-only while developing. The plugin for React
  // leaves files alone that lie below a node_modules.
  cacheDir: process.env.VITE_CACHE_DIR || join(tmpdir(), 'snowboarding-frontend', 'node_modules', '.vite'),
  // Named, so that they are prepared before the first visit and not found during it, which reloads the page.
  optimizeDeps: { include: ['react', 'react-dom/client', 'react/jsx-dev-runtime', 'uplot'] },
  server: {
    ...listen,
    warmup: { clientFiles: ['./src/main.jsx'] },
    watch: { usePolling: process.env.CHOKIDAR_USEPOLLING === 'true' },
  },
  preview: listen,
  build: { target: 'es2022', sourcemap: true },
  test: {
    environment: 'jsdom',
    include: ['tests/**/*.test.{js,jsx}'],
    setupFiles: ['tests/setup.js'],
    unstubGlobals: true,
  },
})
