import './UploadProgress.css'

import { describeBytes } from '../pose/wording.js'
import { PhotoPreview } from './PhotoPreview.jsx'

/** The chosen file while it is sent. The words change rarely, so they may be read aloud. */
export function UploadProgress({ upload }) {
  const { file, fraction, previewUrl } = upload
  return (
    <section className="progress" aria-label="Upload">
      <div className="progress-photo">
        <PhotoPreview src={previewUrl} name={file.name} alt={`Preview of ${file.name}`} />
      </div>
      <div className="progress-facts">
        <p role="status">
          <strong>{fraction < 1 ? 'Sending the file' : 'Waiting for the answer'}…</strong>
        </p>
        <p className="progress-file">
          {file.name} · {describeBytes(file.size * fraction)} of {describeBytes(file.size)}
        </p>
        <progress aria-label="Upload progress" max="1" value={fraction < 1 ? fraction : undefined} />
        <button type="button" className="button" onClick={upload.cancel}>
          Cancel
        </button>
      </div>
    </section>
  )
}
