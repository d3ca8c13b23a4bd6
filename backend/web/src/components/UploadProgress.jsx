import './UploadProgress.css'

import { describeBytes } from '../pose/wording.js'

/** The chosen photo while it is sent and looked at. The words change rarely, so they may be read aloud. */
export function UploadProgress({ upload }) {
  const isSending = upload.phase === 'sending'
  return (
    <section className="progress" aria-label="Upload">
      <div className={isSending ? 'progress-photo' : 'progress-photo is-estimating'}>
        {upload.previewUrl ? (
          <img src={upload.previewUrl} alt={`Preview of ${upload.file.name}`} />
        ) : (
          <span>No preview</span>
        )}
      </div>
      <div className="progress-facts">
        <p role="status" aria-live="polite">
          <strong>{isSending ? 'Sending the photo' : 'Finding the rider'}…</strong>
        </p>
        <p className="progress-file">
          {upload.file.name} · {describeBytes(upload.file.size)}
        </p>
        <progress aria-label="Upload progress" max="1" value={isSending ? upload.fraction : undefined} />
        <button type="button" className="button" onClick={upload.cancel}>
          Cancel
        </button>
      </div>
    </section>
  )
}
