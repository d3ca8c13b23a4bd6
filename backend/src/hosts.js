import { Problem } from './problem.js';

/** Names that always mean this API: on this machine, and inside the stack. */
const OWN_HOSTS = ['localhost', '127.0.0.1', '[::1]', 'backend-api', 'host.docker.internal'];

/**
 * Middleware: only known names are answered. A page can make its own name resolve to 127.0.0.1 (DNS
 * rebinding) and then counts as this API's own origin; the Host that the browser sends still is that name.
 *
 * @param {readonly string[]} allowed  more names, without a port
 */
export function refuseOtherHosts(allowed) {
  const known = new Set([...OWN_HOSTS, ...allowed]);
  return function refuseOtherHost(request, _response, next) {
    const host = readHost(request.headers.host);
    if (host && known.has(host.hostname)) return next();
    throw new Problem(421, 'This server is not known under that name; ALLOWED_HOSTS lets it.');
  };
}

/** Is the page that asks, by its origin, one of the host that it asks? */
export function isSameHost(origin, hostHeader) {
  const host = readHost(hostHeader);
  return Boolean(host) && URL.canParse(origin) && new URL(origin).host === host.host;
}

/** @returns {URL | null} null for what is no name or address with a port behind it or none */
export function readHost(header = '') {
  // URL forgives much that follows the name: a user, a path, blanks.
  if (!/^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i.test(header)) return null;
  const address = `http://${header.replace(/\.(?=$|:)/, '')}`;
  return URL.canParse(address) ? new URL(address) : null;
}
