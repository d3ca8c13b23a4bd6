// 127.0.0.1, [::1], localhost and all bare addresses are always answered; other containers ask by the service's name.
const KNOWN_HOSTS = ['frontend', 'host.docker.internal']
const HOST = /^\.?[a-z0-9-]+(\.[a-z0-9-]+)*$/i

/**
 * Settings from the environment: `apiUrl` (API_URL), `hosts` (WEB_HOSTS: further names of this server, with commas
 * between them; `.example.org` stands for its subdomains too). Throws an Error that names the variable.
 */
export function readSettings({ API_URL, WEB_HOSTS }) {
  return { apiUrl: readAddress(API_URL || 'http://127.0.0.1:3001'), hosts: [...KNOWN_HOSTS, ...readHosts(WEB_HOSTS)] }
}

function readAddress(text) {
  if (URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol)) return text
  throw new Error(`API_URL is ${JSON.stringify(text)}; it is an address such as http://backend-api:3001`)
}

function readHosts(text = '') {
  const hosts = text
    .split(',')
    .map((host) => host.trim())
    .filter(Boolean)
  const wrong = hosts.find((host) => !HOST.test(host))
  if (!wrong) return hosts
  throw new Error(`WEB_HOSTS has ${JSON.stringify(wrong)}; it lists names such as rider.example.org, without ports`)
}
