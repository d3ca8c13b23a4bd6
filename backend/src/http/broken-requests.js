import { STATUS_CODES } from 'node:http';
import { Problem } from '../ground/problem.js';

const STATUS_OF = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

// More than all that this side may need for an answer: a turn (15 s) and the database (15 s).
const SILENT_MS = 45_000;

/**
 * Answer what Node's parser refuses, for which there is no request yet, with a problem document as well, and end
 * clients that neither send nor take a byte any more: they hold places that others wait for.
 *
 * @param {import('node:http').Server} server  an expectation that it does not know is ignored, not 417
 */
export function answerBrokenRequests(server) {
  server.on('clientError', answerBroken);
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.setTimeout(SILENT_MS, endSilent);
}

function endSilent(socket) {
  // Between two requests: a document would be taken for the answer to the next one.
  if (!socket._httpMessage) return socket.destroy();
  answerBroken({ code: 'ERR_HTTP_REQUEST_TIMEOUT', message: 'nothing of it comes any more' }, socket);
}

function answerBroken(error, socket) {
  // Nothing may be written into an answer that has begun; Node's own handler asks the same.
  if (!socket.writable || socket._httpMessage?.headersSent) return socket.destroy();
  const status = STATUS_OF[error.code] ?? 400;
  const detail = `The request cannot be read: ${error.reason ?? error.message}.`;
  const body = JSON.stringify(new Problem(status, detail));
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'X-Content-Type-Options: nosniff',
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
}
