import { useEffect, useState } from 'react'

import { readFrames } from '../api/frames.js'

const EMPTY = { id: null, frames: [], isComplete: false, problem: null }

/** All frames of a clip, in order, filled as they arrive: `{ frames, isComplete, problem }`. A null id asks for none. */
export function useFrames(id) {
  const [state, setState] = useState(EMPTY)

  useEffect(() => {
    if (id === null) return undefined
    const abort = new AbortController()
    async function load() {
      const frames = []
      for await (const page of readFrames(id, { signal: abort.signal })) {
        frames.push(...page)
        setState({ id, frames: [...frames], isComplete: false, problem: null })
      }
      setState({ id, frames, isComplete: true, problem: null })
    }
    load().catch((problem) => {
      if (!abort.signal.aborted) setState((before) => ({ ...before, id, problem }))
    })
    return () => abort.abort()
  }, [id])

  const { frames, isComplete, problem } = state.id === id ? state : EMPTY
  return { frames, isComplete, problem }
}
