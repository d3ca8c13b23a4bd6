import { useCallback, useEffect, useState } from 'react'

import { isFinished, readAnalysis } from '../api/analyses.js'
import { watchAnalysis } from '../api/events.js'
import { useRequest } from './useRequest.js'

const UNKNOWN = { id: null, progress: null, isLinked: true }

/**
 * One analysis by id, followed while it is worked on: `{ data, problem, isLoading, reload, isLinked }`.
 * `isLinked` is false while the connection that tells the progress is lost.
 */
export function useAnalysis(id) {
  const load = useCallback((signal) => readAnalysis(id, { signal }), [id])
  const { data, reload, ...state } = useRequest(id, load)
  const [live, setLive] = useState(UNKNOWN)
  const isRunning = Boolean(data) && !isFinished(data)
  const revision = data?.revision

  useEffect(() => {
    if (!isRunning) return undefined
    const update = (change) => setLive((before) => ({ ...(before.id === id ? before : UNKNOWN), id, ...change }))
    return watchAnalysis(
      { id, revision },
      {
        onStatus: ({ status }) => {
          update({ status })
          if (isFinished({ status }) || status === 'deleted') reload()
        },
        onProgress: (progress) => update({ progress }),
        onLink: (isLinked) => update({ isLinked }),
      },
    )
  }, [id, isRunning, revision, reload])

  return { ...state, reload, ...(live.id === id ? merge(data, live) : { data, isLinked: true }) }
}

// The analysis as it was read, with what its events said since.
function merge(data, { progress, isLinked }) {
  if (!data || isFinished(data)) return { data, isLinked: true }
  return { data: { ...data, progress: progress ?? data.progress }, isLinked }
}
