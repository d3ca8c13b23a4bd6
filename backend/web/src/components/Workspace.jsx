import { useAnalysis } from '../hooks/useAnalysis.js'
import { useReturn } from '../hooks/useReturn.js'
import { AnalysisView } from './AnalysisView.jsx'
import { Loading } from './Loading.jsx'
import { PhotoPicker } from './PhotoPicker.jsx'
import { ProblemNotice } from './ProblemNotice.jsx'
import { UploadProgress } from './UploadProgress.jsx'

/** What the page is about right now: an upload on its way, one analysis, or the place to choose a photo. */
export function Workspace({ analysisId, upload, isApiUp, onDelete }) {
  const analysis = useAnalysis(analysisId)
  useReturn(isApiUp, analysis.reload)

  if (upload.phase === 'sending' || upload.phase === 'estimating') return <UploadProgress upload={upload} />
  if (upload.phase === 'failed') return <PhotoPicker onPhoto={upload.start} notice={<FailedUpload upload={upload} />} />
  if (!analysisId) return <PhotoPicker onPhoto={upload.start} />
  if (analysis.isLoading) return <Loading label="Loading the analysis" />
  if (analysis.problem) {
    const retry = analysis.problem.isTemporary ? analysis.reload : null
    return <PhotoPicker onPhoto={upload.start} notice={<ProblemNotice problem={analysis.problem} onRetry={retry} />} />
  }
  return <AnalysisView key={analysisId} analysis={analysis.data} onDelete={onDelete} />
}

function FailedUpload({ upload }) {
  const retry = upload.problem.isTemporary ? upload.retry : null
  return (
    <ProblemNotice problem={upload.problem} subject={upload.file.name} onRetry={retry} onDismiss={upload.dismiss} />
  )
}
