import { FINAL_STATES } from './analysis.js';

/**
 * Bring analyses of earlier versions into today's shape: they are not deleted, are photos, and what
 * was left unfinished goes into the queue.
 *
 * @param {import('./database.js').Database} database
 * @returns {Promise<number>} how many were changed
 */
export async function migrate({ files }) {
  const { modifiedCount } = await files.updateMany({ 'metadata.isDeleted': { $exists: false } }, [
    {
      $set: {
        'metadata.isDeleted': false,
        'metadata.kind': 'photo',
        'metadata.name': '$filename',
        'metadata.options': { stance: 'auto' },
        'metadata.revision': { $size: '$metadata.history' },
        'metadata.history': {
          $map: {
            input: { $range: [0, { $size: '$metadata.history' }] },
            as: 'i',
            in: {
              $mergeObjects: [
                { $arrayElemAt: ['$metadata.history', '$$i'] },
                { revision: { $add: ['$$i', 1] } },
              ],
            },
          },
        },
        'metadata.job': {
          $cond: [
            { $in: ['$metadata.status', FINAL_STATES] },
            '$$REMOVE',
            { attempts: 0, token: null, dueAt: '$$NOW' },
          ],
        },
      },
    },
  ]);
  return modifiedCount;
}
