import { pipeline } from 'node:stream';
import split from 'split2';
import { blameAnswer, blameConnection } from './pose-failure.js';

// A frame of the densest crowd has a fraction of that; more is no frame.
const MAX_LINE_CHARACTERS = 4 * 1024 * 1024;

/**
 * The lines (NDJSON) of the pose-service's answer about a clip, the last one with the summary.
 *
 * @param {import('node:stream').Readable} response
 * @param {import('./call-watch.js').CallWatch} watch  hears of every line
 * @returns {AsyncGenerator<object>}
 * @throws {import('./pose-failure.js').PoseFailure} the service's own, or when the summary is missing
 */
export async function* readLines(response, watch) {
  const lines = split(parseLine, { maxLength: MAX_LINE_CHARACTERS });
  // The error reaches the reader of the lines.
  pipeline(response, lines, () => {});
  for await (const line of lines) {
    watch.restart();
    if (line.problem) throw blameAnswer(line.problem.status, line.problem);
    yield line;
    if (line.summary) return;
  }
  throw blameConnection(new Error('its answer ended before the summary'));
}

function parseLine(text) {
  if (text.trim() === '') return undefined;
  const line = JSON.parse(text);
  if (typeof line !== 'object' || line === null) throw new Error('a line that is no JSON object');
  return line;
}
