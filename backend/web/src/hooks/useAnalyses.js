import { useCallback, useEffect, useState } from 'react'

import { isFinished, listAnalyses } from '../api/analyses.js'
import { useRequest } from './useRequest.js'

const RELOAD_MS = 4000

/** Earlier analyses, newest first: `{ items, hasMore, showMore, problem, isLoading, reload }`. */
export function useAnalyses() {
  const [pages, setPages] = useState(1)
  const load = useCallback((signal) => listAnalyses({ pages, signal }), [pages])
  const { data, ...state } = useRequest('analyses', load)
  const showMore = useCallback(() => setPages((count) => count + 1), [])
  const items = data?.items ?? []
  useReloadWhile(
    items.some((item) => !isFinished(item)),
    data,
    state.reload,
  )
  return { ...state, items, hasMore: data?.hasMore ?? false, showMore }
}

// Work that goes on shows in the list; a page that nobody looks at asks for nothing.
function useReloadWhile(isBusy, data, reload) {
  useEffect(() => {
    if (!isBusy) return undefined
    const timer = setInterval(() => !document.hidden && reload(), RELOAD_MS)
    return () => clearInterval(timer)
  }, [isBusy, data, reload])
}
