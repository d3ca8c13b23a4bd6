import { serve } from '@hono/node-server'
import { written } from '@shop/money'
import { Hono } from 'hono'

const app = new Hono()
app.get('/health', (c) => c.json({ status: 'ok' }))
app.get('/total', async (c) => {
  const goods = await (await fetch(`${process.env.CATALOG_URL}/goods`)).json()
  return c.json({ total: written(goods.reduce((sum, one) => sum + one.cents, 0)) })
})
serve({ fetch: app.fetch, port: 3000 })
