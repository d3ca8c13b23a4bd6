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
    const names = namesAsked(request);
    if (names.length > 0 && names.every((name) => known.has(readHost(name)?.hostname))) return next();
    throw new Problem(421, 'This server is not known under that name; ALLOWED_HOSTS lets it.');
  };
}

// Every Host line counts, whichever of them somebody in between went by, and so does a whole address in place of the
// path, which goes before them (RFC 9112, 3.2.2).
function namesAsked({ url, headersDistinct }) {
  const [, address] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(url) ?? [];
  return [...(headersDistinct.host ?? []), ...(address === undefined ? [] : [address])];
}
