import { useState } from 'react'

/** A photo before it is analysed; its name where there is none yet or this browser cannot show its format. */
export function PhotoPreview({ src, name, alt = name }) {
  const [failedSrc, setFailedSrc] = useState(null)
  if (!src || src === failedSrc) return <span>{name}</span>
  return <img src={src} alt={alt} onError={() => setFailedSrc(src)} />
}
