import { useCallback, useSyncExternalStore } from 'react'

const PATTERN = /^#\/analyses\/([\w-]+)$/

/** Id of the analysis that the address names, or null. Kept in the hash, so that a reload shows the same one. */
export function useHashRoute() {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash)
  const open = useCallback((id) => {
    window.location.hash = id ? `#/analyses/${id}` : '#/'
  }, [])
  return { analysisId: PATTERN.exec(hash)?.[1] ?? null, open }
}

function subscribe(onChange) {
  window.addEventListener('hashchange', onChange)
  return () => window.removeEventListener('hashchange', onChange)
}
