/**
 * Headers of bytes that never change under their address and come from strangers.
 *
 * @param {{contentType: string, version: string}} facts  version: what the ETag holds
 */
export function describeUnchanging(response, { contentType, version }) {
  response.set({
    'Content-Type': contentType,
    ETag: `"${version}"`,
    'Cache-Control': 'private, max-age=31536000, immutable',
    // Whatever they hold, they run nothing.
    'Content-Security-Policy': "default-src 'none'; sandbox",
  });
}
