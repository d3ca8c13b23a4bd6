import { useEffect, useState } from 'react'

import { shownUrl } from '../api/analyses.js'
import { cutFromClip, cutFromPhoto } from '../pose/portrait.js'

const NONE = new Map()

/**
 * Small pictures of the people of an analysis, as they are cut: a Map of id to address. `wanted` is
 * `[{ id, box, image, seconds }]` and stays the same array while it means the same. A clip that cannot be played has none.
 */
export function usePortraits(analysis, wanted) {
  const { kind } = analysis
  const src = shownUrl(analysis)
  const [portraits, setPortraits] = useState({ wanted: null, urls: NONE })

  useEffect(() => {
    if (wanted.length === 0) return undefined
    const cut = kind === 'clip' ? cutFromClip : cutFromPhoto
    const urls = new Map()
    let isOver = false
    async function load() {
      for await (const [personId, blob] of cut(src, wanted)) {
        if (isOver) return
        if (blob) urls.set(personId, URL.createObjectURL(blob))
        setPortraits({ wanted, urls: new Map(urls) })
      }
    }
    // The buttons have their words; a picture that cannot be cut takes nothing else away.
    load().catch(() => {})
    return () => {
      isOver = true
      urls.forEach((url) => URL.revokeObjectURL(url))
    }
  }, [src, kind, wanted])

  return portraits.wanted === wanted ? portraits.urls : NONE
}
