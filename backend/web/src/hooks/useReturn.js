import { useEffect, useRef } from 'react'

/** Call `onReturn` when `isUp` turns true after it was false: something that was down has come back. */
export function useReturn(isUp, onReturn) {
  const wasUp = useRef(isUp)
  useEffect(() => {
    if (isUp && wasUp.current === false) onReturn()
    wasUp.current = isUp
  }, [isUp, onReturn])
}
