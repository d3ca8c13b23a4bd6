import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { constants } from 'node:zlib'

import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { compression, defineAlgorithm } from 'vite-plugin-compression2'

import { createProxyTable } from './server/api-proxy.js'
import { guardDevelopment } from './server/development-guard.js'
import { readSettings } from './server/settings.js'

const { apiUrl, hosts } = readSettings(process.env)
const best = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } }

export default defineConfig({
  plugins: [
    react(),
    guardDevelopment(),
    compression({
      include: /\.(html|js|css|svg)$/,
      algorithms: [defineAlgorithm('brotliCompress', best), defineAlgorithm('gzip', { level: 9 })],
    }),
  ],
  // Outside the project: the source folders are mounted read-only while developing. The plugin for React
  // leaves files alone that lie below a node_modules.
  cacheDir: process.env.VITE_CACHE_DIR || join(tmpdir(), 'snowboarding-frontend', 'node_modules', '.vite'),
  // Named, so that they are prepared before the first visit. Found during a visit, each reloads every open page, and
  // anybody can ask for a file that imports one. A package in CommonJS that is added is named here.
  optimizeDeps: { noDiscovery: true, include: ['react', 'react-dom/client', 'react/jsx-dev-runtime', 'uplot'] },
  server: {
    host: '0.0.0.0',
    port: 5173,
    strictPort: true,
    allowedHosts: hosts,
    cors: false,
    proxy: createProxyTable(apiUrl),
    warmup: { clientFiles: ['./src/main.jsx'] },
    watch: { usePolling: process.env.CHOKIDAR_USEPOLLING === 'true' },
  },
  // No font inside a style sheet: the policy of the page allows fonts from its own address only.
  build: { target: 'es2022', sourcemap: true, assetsInlineLimit: 0 },
  test: {
    environment: 'jsdom',
    include: ['tests/**/*.test.{js,jsx}'],
    setupFiles: ['tests/setup.js'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    unstubGlobals: true,
  },
})
