import { useCallback, useEffect, useState } from 'react'

import { deleteAnalysis, restoreAnalysis } from '../api/analyses.js'

/**
 * Delete at once and offer the way back: `{ deletions, remove, undo, dismiss }`.
 * A deletion is `{ id, name, until, problem }`, `until` in milliseconds; it leaves the list when its time is over.
 * `onChange(id, isBack)` is called after each.
 */
export function useDeletions(onChange) {
  const [deletions, setDeletions] = useState([])
  const drop = useCallback((id) => setDeletions((all) => all.filter((one) => one.id !== id)), [])
  const put = useCallback((one) => setDeletions((all) => [...all.filter(({ id }) => id !== one.id), one]), [])

  const remove = useCallback(
    async ({ id, name }) => {
      try {
        put({ id, name, until: await deleteAnalysis(id), problem: null })
      } catch (problem) {
        // What is gone already is as it should be.
        if (problem.status !== 404) return put({ id, name, until: null, problem })
      }
      onChange(id, false)
    },
    [onChange, put],
  )
  const undo = useCallback(
    async (deletion) => {
      try {
        await restoreAnalysis(deletion.id)
        drop(deletion.id)
        onChange(deletion.id, true)
      } catch (problem) {
        put({ ...deletion, problem })
      }
    },
    [onChange, drop, put],
  )

  useEffect(() => {
    const timers = deletions
      .filter(({ until }) => until)
      .map(({ id, until }) => setTimeout(() => drop(id), until - Date.now()))
    return () => timers.forEach(clearTimeout)
  }, [deletions, drop])

  return { deletions, remove, undo, dismiss: drop }
}
