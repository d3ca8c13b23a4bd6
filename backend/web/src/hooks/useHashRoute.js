import { useCallback, useSyncExternalStore } from 'react'

const PATTERN = /^#\/analyses\/([\w-]+)(?:\?(.*))?$/

let visits = 0

/**
 * What the address asks for, kept in the hash so that a link or a reload opens the same view:
 * `#/analyses/ID?person=2&at=1.20&with=ID&person2=1&at2=0.40`.
 *
 * `analysisId` and `withId` (the one beside it) or null; `params` of the view; `visit` counts changes of address.
 * `open(id)` and `compare(id)` go to another view (Back returns); `keep(changes)` notes where one is in this view.
 */
export function useHashRoute() {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash)
  const { analysisId, params } = parseHash(hash)
  return {
    analysisId,
    withId: params.get('with'),
    params,
    visit: visits,
    open: useCallback((id) => go(id), []),
    compare: useCallback((id) => go(parseHash(window.location.hash).analysisId, id ? { with: id } : {}), []),
    keep: useCallback(keepInView, []),
  }
}

/** `{ analysisId, params }` of a hash. */
export function parseHash(hash) {
  const [, analysisId = null, query = ''] = PATTERN.exec(hash) ?? []
  return { analysisId, params: new URLSearchParams(query) }
}

function go(id, params = {}) {
  const query = new URLSearchParams(params).toString()
  window.location.hash = id ? `#/analyses/${id}${query && `?${query}`}` : '#/'
}

// Not a new entry in the history of the browser: Back should not walk through every frame.
function keepInView(changes) {
  const { analysisId, params } = parseHash(window.location.hash)
  if (!analysisId) return
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) params.delete(name)
    else params.set(name, value)
  }
  const query = params.toString()
  window.history.replaceState(window.history.state, '', `#/analyses/${analysisId}${query && `?${query}`}`)
}

function subscribe(onChange) {
  const handleChange = () => {
    visits += 1
    onChange()
  }
  window.addEventListener('hashchange', handleChange)
  return () => window.removeEventListener('hashchange', handleChange)
}
