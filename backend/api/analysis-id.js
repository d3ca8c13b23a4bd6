import { ObjectId } from 'mongodb';
import { Problem } from '../src/ground/problem.js';

/**
 * The id in the path.
 *
 * @returns {ObjectId}
 * @throws {Problem} 404 when it is malformed: no analysis can be there
 */
export function parseId(request) {
  const { id } = request.params;
  if (!/^[0-9a-f]{24}$/i.test(id)) throw unknown(id);
  return ObjectId.createFromHexString(id);
}

/**
 * The analysis that the path names.
 *
 * @param {import('../src/store/analyses.js').Analyses} analyses
 * @returns {Promise<object>} its file document
 * @throws {Problem} 404
 */
export async function findAnalysis(request, analyses, options) {
  const file = await analyses.find(parseId(request), options);
  if (!file) throw unknown(request.params.id);
  return file;
}

/** @returns {Problem} */
export function unknown(id) {
  return new Problem(404, `There is no analysis ${id}.`);
}
