import { useAction } from '../hooks/useAction.js'
import { ProblemNotice } from './ProblemNotice.jsx'

const SAMPLE = '/sample.jpg'

/** Takes the picture that comes with the page, for those who have none at hand. */
export function SampleButton({ onFiles }) {
  const [take, problem] = useAction(async () => {
    const response = await fetch(SAMPLE)
    if (!response.ok) throw new Error(`The server of this page answered ${response.status}.`)
    onFiles([new File([await response.blob()], 'sample.jpg', { type: 'image/jpeg' })])
  })
  return (
    <>
      <button type="button" className="button" onClick={take}>
        Try it with a sample
      </button>
      {problem && <ProblemNotice problem={{ title: 'The sample cannot be loaded', detail: problem.message }} />}
    </>
  )
}
