import { useCallback } from 'react'

import { readAnalysis } from '../api/analyses.js'
import { useRequest } from './useRequest.js'

/** One analysis by id: `{ data, problem, isLoading, reload }`. */
export function useAnalysis(id) {
  const load = useCallback((signal) => readAnalysis(id, { signal }), [id])
  return useRequest(id, load)
}
