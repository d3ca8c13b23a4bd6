import { useCallback, useState } from 'react'

import { listAnalyses } from '../api/analyses.js'
import { useRequest } from './useRequest.js'

/** Earlier analyses, newest first: `{ items, hasMore, showMore, problem, isLoading, reload }`. */
export function useAnalyses() {
  const [pages, setPages] = useState(1)
  const load = useCallback((signal) => listAnalyses({ pages, signal }), [pages])
  const { data, ...state } = useRequest('analyses', load)
  const showMore = useCallback(() => setPages((count) => count + 1), [])
  return { ...state, items: data?.items ?? [], hasMore: data?.hasMore ?? false, showMore }
}
