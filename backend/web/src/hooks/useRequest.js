import { useCallback, useEffect, useState } from 'react'

const EMPTY = { key: null, data: null, problem: null }

/**
 * Run `load(signal)` now and whenever `key` changes; a null `key` asks for nothing.
 * `data` belongs to the key asked for: an answer that comes late for another key is dropped. A reload that fails
 * leaves the data and adds the problem: what was read stays readable while the API is away.
 */
export function useRequest(key, load) {
  const [answer, setAnswer] = useState(EMPTY)
  const [round, setRound] = useState(0)
  const reload = useCallback(() => setRound((count) => count + 1), [])

  useEffect(() => {
    if (key === null) return undefined
    const abort = new AbortController()
    load(abort.signal)
      .then((data) => setAnswer({ key, data, problem: null }))
      .catch((problem) => {
        if (abort.signal.aborted) return
        setAnswer((before) => ({ key, data: before.key === key ? before.data : null, problem }))
      })
    return () => abort.abort()
  }, [key, load, round])

  const current = answer.key === key ? answer : EMPTY
  const isLoading = key !== null && !current.data && !current.problem
  return { data: current.data, problem: current.problem, isLoading, reload }
}
