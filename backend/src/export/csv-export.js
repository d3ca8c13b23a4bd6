import { stringify } from 'csv-stringify/sync';

const FACTS = ['frame', 'time_seconds', 'person', 'score', 'box_x0', 'box_y0', 'box_x1', 'box_y1'];

/**
 * A row for each person in each frame, as pieces of one CSV document (RFC 4180); a frame without people
 * has one row. The measures' units are in the header. A photo is frame 0.
 *
 * @param {object} file  the document with results
 * @param {import('../store/frames.js').Frames} frames
 * @returns {Promise<AsyncGenerator<string>>}
 */
export async function toCsv(file, frames) {
  const isClip = file.metadata.kind === 'clip';
  const units = isClip ? await frames.readUnits(file) : unitsOf(file.metadata.pose.people);
  const all = isClip ? frames.read(file) : [{ index: 0, time_seconds: 0, ...file.metadata.pose }];
  return writeRows(all, units);
}

async function* writeRows(frames, units) {
  const header = [...units].map(([name, unit]) => (unit ? `${name} (${unit})` : name));
  yield toLine([...FACTS, ...header]);
  for await (const frame of frames) {
    const people = frame.people.length > 0 ? frame.people : [null];
    for (const [index, person] of people.entries()) yield toLine(describe(frame, person, { index, units }));
  }
}

function describe(frame, person, { index, units }) {
  const facts = [frame.index, frame.time_seconds];
  if (!person) return [...facts, ...Array(FACTS.length - facts.length + units.size)];
  const measures = [...units.keys()].map((name) => person.measures?.[name]?.value);
  return [...facts, person.id ?? index, person.score, ...person.box, ...measures];
}

function toLine(values) {
  return stringify([values], { record_delimiter: '\r\n' });
}

function unitsOf(people) {
  const measures = people.flatMap((person) => Object.entries(person.measures ?? {}));
  return new Map(measures.map(([name, { unit = null }]) => [name, unit]).sort());
}
