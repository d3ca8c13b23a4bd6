import { toAnalysis } from '../store/analysis.js';

/**
 * An analysis with its frames as pieces of one JSON document; a clip's frames are never in memory together.
 *
 * @param {object} file  the document with results
 * @param {import('../store/frames.js').Frames} frames
 * @returns {AsyncGenerator<string>}
 */
export async function* toJson(file, frames) {
  yield JSON.stringify(toAnalysis(file)).slice(0, -1);
  if (file.metadata.kind === 'clip') {
    yield ',"frames":[';
    let separator = '\n';
    for await (const frame of frames.read(file)) {
      yield separator + JSON.stringify(frame);
      separator = ',\n';
    }
    yield ']';
  }
  yield '}\n';
}
