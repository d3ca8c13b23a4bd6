import { setTimeout as sleep } from 'node:timers/promises';
import { isDatabaseDown } from '../store/database.js';

const RETRY_MS = 300;

/**
 * Do something with the database, again and again while it is away.
 *
 * @template T
 * @param {() => Promise<T>} act  harmless when done twice: the first time may have come through
 * @param {AbortSignal} signal  gives up
 * @returns {Promise<T>}
 */
export async function persist(act, signal) {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!isDatabaseDown(error) || signal.aborted) throw error;
      await sleep(RETRY_MS, undefined, { signal }).catch(() => {});
      if (signal.aborted) throw error;
    }
  }
}
