/** Is the page that asks, by its origin, one of the host that it asks? */
export function isSameHost(origin, hostHeader) {
  const host = readHost(hostHeader);
  // Browsers send no path and no user, and pages come over nothing else.
  const isOrigin = /^https?:\/\/[^/@?#\\]+$/i.test(origin) && URL.canParse(origin);
  return Boolean(host) && isOrigin && new URL(origin).host === host.host;
}

/** @returns {URL | null} null for what is no name or address with a port behind it or none */
export function readHost(header = '') {
  // URL forgives much that follows the name: a user, a path, blanks.
  if (!/^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i.test(header)) return null;
  const address = `http://${header.replace(/\.(?=$|:)/, '')}`;
  return URL.canParse(address) ? new URL(address) : null;
}
