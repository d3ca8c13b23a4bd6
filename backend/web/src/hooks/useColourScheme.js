import { useSyncExternalStore } from 'react'

const DARK = '(prefers-color-scheme: dark)'

/** 'dark' or 'light': for what is drawn on a canvas, which CSS does not reach. */
export function useColourScheme() {
  return useSyncExternalStore(subscribe, () => (window.matchMedia(DARK).matches ? 'dark' : 'light'))
}

function subscribe(onChange) {
  const query = window.matchMedia(DARK)
  query.addEventListener('change', onChange)
  return () => query.removeEventListener('change', onChange)
}
