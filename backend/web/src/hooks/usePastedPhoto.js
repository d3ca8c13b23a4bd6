import { useEffect } from 'react'

/** Call `onPhoto(file)` when an image is pasted anywhere on the page. */
export function usePastedPhoto(onPhoto) {
  useEffect(() => {
    function handlePaste(event) {
      const photo = [...(event.clipboardData?.files ?? [])].find((file) => file.type.startsWith('image/'))
      if (photo) onPhoto(photo)
    }
    window.addEventListener('paste', handlePaste)
    return () => window.removeEventListener('paste', handlePaste)
  }, [onPhoto])
}
