import './MediaPicker.css'

import { FileInput } from './FileInput.jsx'
import { RiderDrawing } from './RiderDrawing.jsx'
import { StanceChoice } from './StanceChoice.jsx'

/** The empty state: a labelled file input that fills the place where a photo or clip may be dropped. */
export function MediaPicker({ onFiles, isOver, stance, onStance, notice }) {
  return (
    <section className="picker" aria-label="New analysis">
      {notice}
      <div className={isOver ? 'picker-area is-over' : 'picker-area'}>
        <h1 className="picker-title">Drop a photo or clip of a rider</h1>
        <p className="picker-hint">
          or <span className="picker-link">choose a file</span>, or paste one
        </p>
        <FileInput className="picker-input" label="Choose a photo or clip" accept="image/*,video/*" onFiles={onFiles} />
        <div className="picker-camera">
          <label className="button">
            Take a photo
            <FileInput label="Take a photo" accept="image/*" capture="environment" onFiles={onFiles} />
          </label>
          <label className="button">
            Film a clip
            <FileInput label="Film a clip" accept="video/*" capture="environment" onFiles={onFiles} />
          </label>
        </div>
        <StanceChoice stance={stance} onStance={onStance} />
        <p className="picker-facts">
          JPEG, PNG, WebP and other photos; MP4, MOV or WebM clips up to a minute. Whole body in view works best.
        </p>
        <RiderDrawing />
      </div>
    </section>
  )
}
