import { serve } from '@hono/node-server'
import { written } from '@shop/money'
import { Hono } from 'hono'

const goods = [{ name: 'board', cents: 39900 }, { name: 'wax', cents: 1250 }]
const app = new Hono()
app.get('/health', (c) => c.json({ status: 'ok' }))
app.get('/goods', (c) => c.json(goods.map((one) => ({ ...one, price: written(one.cents) }))))
serve({ fetch: app.fetch, port: 3000 })
