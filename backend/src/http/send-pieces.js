import { pipeline } from 'node:stream/promises';

/**
 * Write an answer piece by piece. What goes wrong before the first piece is thrown, and can still be answered;
 * afterwards the connection is cut.
 *
 * @param {AsyncGenerator<Buffer | string>} pieces
 * @param {import('express').Response} response
 * @param {import('pino').Logger} logger
 */
export async function sendPieces(pieces, response, logger) {
  const first = await pieces.next();
  try {
    await pipeline(join(first, pieces), response);
  } catch (error) {
    // A reader that goes away is everyday life.
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE')
      logger.error({ cause: error.message }, 'answer cut short');
  }
}

async function* join(first, pieces) {
  if (!first.done) yield first.value;
  yield* pieces;
}
