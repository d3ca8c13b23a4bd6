import './AnalysisView.css'

import { retryAnalysis } from '../api/analyses.js'
import { toProblem } from '../api/problem.js'
import { useAction } from '../hooks/useAction.js'
import { AnalysisHead } from './AnalysisHead.jsx'
import { MediaPreview } from './MediaPreview.jsx'
import { ProblemNotice } from './ProblemNotice.jsx'
import { SubjectView } from './SubjectView.jsx'
import { WorkProgress } from './WorkProgress.jsx'

/** One analysis: on its way, failed, or with all that was found. */
export function AnalysisView({ analysis, isLinked, route, onChange, onDelete }) {
  const [retry, retryProblem] = useAction(() => retryAnalysis(analysis.id).then(onChange))
  const { status } = analysis
  return (
    <article className="analysis" aria-label={analysis.name}>
      <AnalysisHead analysis={analysis} onChange={onChange} onDelete={onDelete} />
      {retryProblem && <ProblemNotice problem={retryProblem} />}
      {status === 'failed' && <ProblemNotice problem={toProblem(analysis.error)} onRetry={retry} />}
      {status === 'done' && <SubjectView analysis={analysis} params={route.params} onKeep={route.keep} />}
      {status !== 'done' && <MediaPreview analysis={analysis} isBusy={status !== 'failed'} />}
      {status !== 'done' && status !== 'failed' && <WorkProgress analysis={analysis} isLinked={isLinked} />}
    </article>
  )
}
