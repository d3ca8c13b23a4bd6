import { mediaUrl } from '../api/analyses.js'

/** The photo or clip as it was uploaded, while there is nothing to draw on it. */
export function MediaPreview({ analysis, isBusy }) {
  const src = mediaUrl(analysis.id)
  return (
    <div className={isBusy ? 'progress-photo is-estimating' : 'progress-photo'}>
      {analysis.kind === 'clip' ? (
        <video src={src} aria-label={analysis.name} muted playsInline controls={!isBusy} preload="metadata" />
      ) : (
        <img src={src} alt={analysis.name} />
      )}
    </div>
  )
}
