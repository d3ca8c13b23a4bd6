import { useCallback, useEffect, useRef, useState } from 'react'

import { uploadAnalysis } from '../api/analyses.js'

const IDLE = { phase: 'idle', file: null, previewUrl: null, fraction: 0, problem: null }

/**
 * One upload at a time: `phase` is idle, sending, estimating or failed; `fraction` is what was sent, 0-1.
 * `onDone(analysis)` is called once with the API's answer.
 */
export function useUpload(onDone) {
  const [state, setState] = useState(IDLE)
  const abort = useRef(null)

  const start = useCallback(
    async (file) => {
      abort.current?.abort()
      const own = new AbortController()
      abort.current = own
      const update = (change) => own === abort.current && setState((before) => ({ ...before, ...change }))
      setState({ ...IDLE, phase: 'sending', file, previewUrl: previewOf(file) })
      try {
        const onProgress = (fraction) => update({ fraction, phase: fraction < 1 ? 'sending' : 'estimating' })
        const analysis = await uploadAnalysis(file, { onProgress, signal: own.signal })
        update(IDLE)
        onDone(analysis)
      } catch (problem) {
        update(problem.name === 'AbortError' ? IDLE : { phase: 'failed', problem })
      }
    },
    [onDone],
  )
  const cancel = useCallback(() => abort.current?.abort(), [])
  const dismiss = useCallback(() => setState(IDLE), [])
  const retry = useCallback(() => start(state.file), [start, state.file])

  useEffect(() => () => abort.current?.abort(), [])
  useEffect(() => () => state.previewUrl && URL.revokeObjectURL(state.previewUrl), [state.previewUrl])

  return { ...state, start, cancel, dismiss, retry }
}

function previewOf(file) {
  return file.type.startsWith('image/') ? URL.createObjectURL(file) : null
}
