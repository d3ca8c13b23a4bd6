import { useEffect, useState } from 'react'

import { readHealth } from '../api/health.js'

const CALM_MS = 15_000
const ALERT_MS = 4_000

/** State of the stack's parts (see `readHealth`), asked again and again while the page is looked at; null at first. */
export function useHealth() {
  const [parts, setParts] = useState(null)

  useEffect(() => {
    const abort = new AbortController()
    let timer

    async function ask() {
      const found = document.hidden ? null : await readHealth({ signal: abort.signal }).catch(() => null)
      if (abort.signal.aborted) return
      if (found) setParts(found)
      const isCalm = !found || found.every((part) => part.isUp)
      timer = setTimeout(ask, isCalm ? CALM_MS : ALERT_MS)
    }

    ask()
    return () => {
      abort.abort()
      clearTimeout(timer)
    }
  }, [])

  return parts
}
