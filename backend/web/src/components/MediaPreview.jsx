import { shownUrl } from '../api/analyses.js'
import { PhotoPreview } from './PhotoPreview.jsx'

/** The photo or clip as it was uploaded, while there is nothing to draw on it. */
export function MediaPreview({ analysis, isBusy }) {
  const src = shownUrl(analysis)
  return (
    <div className={isBusy ? 'progress-photo is-estimating' : 'progress-photo'}>
      {analysis.kind === 'clip' ? (
        <video src={src} aria-label={analysis.name} muted playsInline controls={!isBusy} preload="metadata" />
      ) : (
        <PhotoPreview src={src} name={analysis.name} />
      )}
    </div>
  )
}
