import { useCallback, useEffect, useRef, useState } from 'react'

import { uploadAnalysis } from '../api/upload.js'

const IDLE = { phase: 'idle', file: null, previewUrl: null, fraction: 0, problem: null, stance: 'auto' }
const NOTE = 'upload'

/**
 * One upload at a time: `phase` is idle, sending or failed; `fraction` is what was sent, 0-1.
 * `onDone(analysis)` is called once with the API's answer. An upload that a reload cut off is told as failed
 * after it: its file is gone, the browser does not keep it.
 */
export function useUpload(onDone) {
  const [state, setState] = useState(readCutOff)
  const abort = useRef(null)

  const start = useCallback(
    async (file, stance = 'auto') => {
      abort.current?.abort()
      const own = new AbortController()
      abort.current = own
      // What may still arrive with another try is not forgotten: Vite loads the page again when its server is back.
      const forget = () => own === abort.current && sessionStorage.removeItem(NOTE)
      const update = (change) => own === abort.current && setState((before) => ({ ...before, ...change }))
      setState({ ...IDLE, phase: 'sending', file, stance, previewUrl: previewOf(file) })
      sessionStorage.setItem(NOTE, file.name)
      try {
        const onProgress = (fraction) => update({ fraction })
        const analysis = await uploadAnalysis(file, { stance, onProgress, signal: own.signal })
        update(IDLE)
        forget()
        onDone(analysis)
      } catch (problem) {
        update(problem.name === 'AbortError' ? IDLE : { phase: 'failed', problem })
        if (!problem.isTemporary) forget()
      }
    },
    [onDone],
  )
  const settle = useCallback((state) => {
    sessionStorage.removeItem(NOTE)
    setState(state)
  }, [])
  const refuse = useCallback((problem) => settle({ ...IDLE, phase: 'failed', problem }), [settle])
  const cancel = useCallback(() => abort.current?.abort(), [])
  const dismiss = useCallback(() => settle(IDLE), [settle])
  const retry = useCallback(() => start(state.file, state.stance), [start, state.file, state.stance])

  useEffect(() => () => state.previewUrl && URL.revokeObjectURL(state.previewUrl), [state.previewUrl])

  return { ...state, start, refuse, cancel, dismiss, retry: state.file ? retry : null }
}

function previewOf(file) {
  return file.type.startsWith('image/') ? URL.createObjectURL(file) : null
}

function readCutOff() {
  const name = sessionStorage.getItem(NOTE)
  if (!name) return IDLE
  const detail = `The page was loaded again before ${name} had arrived. Choose it once more.`
  return { ...IDLE, phase: 'failed', problem: { title: 'The upload was cut off', detail, isTemporary: false } }
}
