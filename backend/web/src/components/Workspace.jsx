import { lazy, Suspense, useEffect } from 'react'

import { useAnalysis } from '../hooks/useAnalysis.js'
import { useReturn } from '../hooks/useReturn.js'
import { AnalysisView } from './AnalysisView.jsx'
import { ErrorBoundary } from './ErrorBoundary.jsx'
import { Loading } from './Loading.jsx'
import { MediaPicker } from './MediaPicker.jsx'
import { ProblemNotice } from './ProblemNotice.jsx'
import { UploadProgress } from './UploadProgress.jsx'

const Comparison = lazy(() => import('./Comparison.jsx'))

/** What the page is about right now: an upload on its way, one analysis or two, or the place to choose a file. */
export function Workspace({ route, upload, picker, isApiUp, onChange, onDelete }) {
  const { analysisId, withId } = route
  const analysis = useAnalysis(analysisId)
  useReturn(isApiUp, analysis.reload)
  const status = analysis.data?.status
  // The list says what came of it as soon as this view does.
  useEffect(() => {
    if (status) onChange()
  }, [status, onChange])

  if (!analysisId && upload.phase === 'sending') return <UploadProgress upload={upload} />
  if (!analysisId && upload.phase === 'failed') return <MediaPicker {...picker} notice={<FailedUpload {...upload} />} />
  if (!analysisId) return <MediaPicker {...picker} />
  if (analysis.isLoading) return <Loading label="Loading the analysis" />
  if (!analysis.data || analysis.problem?.status === 404) {
    const retry = analysis.problem.isTemporary ? analysis.reload : null
    return <MediaPicker {...picker} notice={<ProblemNotice problem={analysis.problem} onRetry={retry} />} />
  }
  const handleChange = () => {
    analysis.reload()
    onChange()
  }
  return (
    <ErrorBoundary key={`${analysisId} ${withId} ${route.visit}`}>
      {withId ? (
        <Suspense fallback={<Loading label="Loading the comparison" />}>
          <Comparison analysis={analysis.data} route={route} />
        </Suspense>
      ) : (
        <AnalysisView
          analysis={analysis.data}
          isLinked={analysis.isLinked}
          route={route}
          onChange={handleChange}
          onDelete={onDelete}
        />
      )}
    </ErrorBoundary>
  )
}

function FailedUpload({ problem, file, retry, dismiss }) {
  const again = problem.isTemporary ? retry : null
  return <ProblemNotice problem={problem} subject={file?.name} onRetry={again} onDismiss={dismiss} />
}
