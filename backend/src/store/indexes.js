const NAME_ORDER = { locale: 'en', strength: 2, numericOrdering: true };

/** How names are compared, in the index and in the queries that use it. */
export const NAME_COLLATION = NAME_ORDER;

/** Every index of the database: collection -> [keys, options]. */
const INDEXES = {
  chunks: [[{ files_id: 1, n: 1 }, { unique: true }]],
  files: [
    [
      { 'metadata.sha256': 1, 'metadata.options.stance': 1 },
      {
        name: 'same_file',
        unique: true,
        partialFilterExpression: { 'metadata.isDeleted': false, 'metadata.sha256': { $exists: true } },
      },
    ],
    [{ 'metadata.isDeleted': 1, _id: -1 }, { name: 'newest' }],
    [
      { 'metadata.isDeleted': 1, 'metadata.name': 1, _id: 1 },
      { name: 'by_name', collation: NAME_ORDER },
    ],
    [{ 'metadata.isDeleted': 1, length: 1, _id: 1 }, { name: 'by_size' }],
    [{ 'metadata.job.dueAt': 1 }, { name: 'queue', sparse: true }],
    [{ 'metadata.deletedAt': 1 }, { name: 'deleted', sparse: true }],
  ],
  frames: [
    [
      { analysis: 1, run: 1, index: 1 },
      { name: 'frame', unique: true },
    ],
  ],
};

/**
 * Make every index, and check that each is there as declared: an index of the same name with other keys
 * or options is an error of the server's.
 *
 * @param {import('./database.js').Database} database
 * @returns {Promise<number>} how many there are
 */
export async function prepareIndexes(database) {
  let count = 0;
  for (const [collection, indexes] of Object.entries(INDEXES)) {
    for (const [keys, options] of indexes) await database[collection].createIndex(keys, options);
    const found = await database[collection].listIndexes().toArray();
    for (const [keys, options] of indexes) {
      if (!found.some((index) => isSame(index, keys, options))) {
        throw new Error(`collection ${collection}: no index ${JSON.stringify(keys)} as declared`);
      }
    }
    count += indexes.length;
  }
  return count;
}

function isSame(index, keys, { unique = false, sparse = false }) {
  const isSameKey = JSON.stringify(index.key) === JSON.stringify(keys);
  return isSameKey && Boolean(index.unique) === unique && Boolean(index.sparse) === sparse;
}
