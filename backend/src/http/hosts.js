import { readHost } from '../ground/host-name.js';
import { Problem } from '../ground/problem.js';

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
