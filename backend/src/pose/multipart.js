import { randomUUID } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';

/**
 * POST one file as a multipart form while it is read; nothing of it is kept in memory.
 *
 * @param {URL} url
 * @param {{field: string, contentType: string, bytes: number, source: AsyncIterable<Buffer>}} file
 * @param {{headers: object, signal: AbortSignal}} options  the signal ends the request and its answer
 * @returns {Promise<http.IncomingMessage>} the answer, which may come before the whole file was sent
 * @throws {Error} of the source, of the connection, or the signal's reason
 */
export function postFile(url, { field, contentType, bytes, source }, { headers, signal }) {
  const boundary = randomUUID();
  const head = Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="${field}"; filename="media"\r\n` +
      `Content-Type: ${contentType}\r\n\r\n`,
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  const request = (url.protocol === 'https:' ? https : http).request(url, {
    method: 'POST',
    // A connection of its own: a kept one may be closed by the other side just as it is used again.
    agent: false,
    signal,
    headers: {
      ...headers,
      'Content-Type': `multipart/form-data; boundary=${boundary}`,
      'Content-Length': head.length + bytes + tail.length,
    },
  });
  return send(request, Readable.from(join(head, source, tail)), signal);
}

function send(request, body, signal) {
  return new Promise((resolve, reject) => {
    let isAnswered = false;
    request.on('response', (response) => {
      isAnswered = true;
      // Its reader hears of errors by itself; one that is cut off after it was read must not end the process.
      response.on('error', () => {});
      resolve(response);
    });
    // After the answer its stream tells what goes wrong.
    request.on('error', (error) => {
      body.destroy();
      if (!isAnswered) reject(signal.aborted ? signal.reason : error);
    });
    body.on('error', (error) => request.destroy(error));
    body.pipe(request);
  });
}

async function* join(head, source, tail) {
  yield head;
  yield* source;
  yield tail;
}
