import { useEffect, useState } from 'react'

/**
 * Call `onFiles(files)` when files are dropped or pasted anywhere on the page; true while files are held over it.
 * A drop beside the right place would otherwise make the browser leave the page and show the file.
 */
export function useArrivingFiles(onFiles) {
  const [isOver, setIsOver] = useState(false)

  useEffect(() => {
    const take = (files) => files.length > 0 && onFiles([...files])
    const handlers = {
      paste: (event) => take(event.clipboardData?.files ?? []),
      drop: (event) => {
        if (!hasFiles(event)) return
        event.preventDefault()
        setIsOver(false)
        take(event.dataTransfer.files)
      },
      dragover: (event) => {
        if (!hasFiles(event)) return
        event.preventDefault()
        setIsOver(true)
      },
      // Without a target that is entered, the pointer has left the window.
      dragleave: (event) => !event.relatedTarget && setIsOver(false),
    }
    for (const [name, handler] of Object.entries(handlers)) window.addEventListener(name, handler)
    return () => {
      for (const [name, handler] of Object.entries(handlers)) window.removeEventListener(name, handler)
    }
  }, [onFiles])

  return isOver
}

function hasFiles(event) {
  return [...(event.dataTransfer?.types ?? [])].includes('Files')
}
