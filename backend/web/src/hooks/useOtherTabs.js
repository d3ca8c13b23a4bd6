import { useCallback, useEffect, useRef } from 'react'

const CHANNEL = 'analyses'

/**
 * Hear of changes that other tabs make: `onChange` is called then, and when somebody comes back to this tab.
 * Returns the function that tells the other tabs of a change made here.
 */
export function useOtherTabs(onChange) {
  const channel = useRef(null)

  useEffect(() => {
    const own = new BroadcastChannel(CHANNEL)
    const handleShow = () => !document.hidden && onChange()
    channel.current = own
    own.addEventListener('message', onChange)
    document.addEventListener('visibilitychange', handleShow)
    return () => {
      own.close()
      document.removeEventListener('visibilitychange', handleShow)
    }
  }, [onChange])

  return useCallback(() => channel.current?.postMessage('changed'), [])
}
