import { Problem } from '../src/ground/problem.js';

/**
 * A whole number of the query.
 *
 * @param {object} query @param {string} name @param {{fallback: number, min: number, max: number}} range
 * @throws {Problem} 400
 */
export function readInteger(query, name, { fallback, min, max }) {
  const text = query[name];
  if (text === undefined) return fallback;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new Problem(400, `${name} is a whole number from ${min} to ${max}.`);
}

/** One of several words. @throws {Problem} 400 */
export function readChoice(query, name, choices, fallback) {
  const text = query[name] ?? fallback;
  if (choices.includes(text)) return text;
  throw new Problem(400, `${name} is one of ${choices.join(', ')}.`);
}

/** Some of several words, separated by commas; null when none is given. @throws {Problem} 400 */
export function readChoices(query, name, choices) {
  if (query[name] === undefined || query[name] === '') return null;
  const chosen = typeof query[name] === 'string' ? query[name].split(',') : [];
  if (chosen.length > 0 && chosen.every((word) => choices.includes(word))) return chosen;
  throw new Problem(400, `${name} holds one or more of ${choices.join(', ')}, separated by commas.`);
}
