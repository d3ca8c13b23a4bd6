import './Downloads.css'

import { useAction } from '../hooks/useAction.js'
import { copyLink } from '../pose/link.js'
import { savePicture } from '../pose/picture.js'
import { ProblemNotice } from './ProblemNotice.jsx'

/** The ways to take the result along: the drawn picture, the data, a link to this very view. */
export function Downloads({ analysis, subject, picture }) {
  const [save, saveProblem] = useAction(() => savePicture(picture.current, subject, analysis.name))
  const [copy, copyProblem, isCopied] = useAction(copyLink)
  const problem = saveProblem ?? copyProblem
  return (
    <section className="downloads" aria-label="Download and share">
      <button type="button" className="button" onClick={save} disabled={!subject.image}>
        Save picture
      </button>
      <a className="button" href={analysis.links.exportCsv} download>
        CSV
      </a>
      <a className="button" href={analysis.links.exportJson} download>
        JSON
      </a>
      <button type="button" className="button" onClick={copy}>
        {isCopied ? 'Link copied' : 'Copy link'}
      </button>
      {problem && <ProblemNotice problem={{ title: 'That did not work', detail: problem.message }} />}
    </section>
  )
}
