import { useState } from 'react'

const CALM = { problem: null, isDone: false }

/** `[run, problem, isDone]`: run an asynchronous action on demand, and keep how it ended. */
export function useAction(action) {
  const [state, setState] = useState(CALM)
  async function run(...args) {
    setState(CALM)
    try {
      await action(...args)
      setState({ problem: null, isDone: true })
    } catch (problem) {
      setState({ problem, isDone: false })
    }
  }
  return [run, state.problem, state.isDone]
}
