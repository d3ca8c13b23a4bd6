import { expect, it } from 'vitest'

import { readSettings } from '../server/settings.js'

it('has a default for everything', () => {
  expect(readSettings({})).toEqual({ apiUrl: 'http://127.0.0.1:3001', hosts: ['frontend', 'host.docker.internal'] })
})

it('takes an address of the API and further hosts', () => {
  const { apiUrl, hosts } = readSettings({ API_URL: 'http://api:1', WEB_HOSTS: 'rider.example.org, .example.net,' })
  expect(apiUrl).toBe('http://api:1')
  expect(hosts.slice(2)).toEqual(['rider.example.org', '.example.net'])
})

it.each([
  [{ API_URL: 'backend-api:3001' }, 'API_URL'],
  [{ API_URL: 'nowhere' }, 'API_URL'],
  [{ WEB_HOSTS: 'rider.example.org:5173' }, 'WEB_HOSTS'],
  [{ WEB_HOSTS: 'http://rider.example.org' }, 'WEB_HOSTS'],
])('names the setting that is wrong in %o', (environment, name) => {
  expect(() => readSettings(environment)).toThrow(name)
})
