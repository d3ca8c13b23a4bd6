import { serve } from '@hono/node-server'
import { Hono } from 'hono'

const behind = { '/goods': process.env.CATALOG_URL, '/total': process.env.ORDERS_URL }
const app = new Hono()
app.get('/health', (c) => c.json({ status: 'ok' }))
for (const [path, url] of Object.entries(behind)) {
  app.get(path, async (c) => c.json(await (await fetch(url + path)).json()))
}
serve({ fetch: app.fetch, port: 3000 })
