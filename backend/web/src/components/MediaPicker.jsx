import './MediaPicker.css'

import { FileInput } from './FileInput.jsx'
import { RiderDrawing } from './RiderDrawing.jsx'
import { SampleButton } from './SampleButton.jsx'
import { StanceChoice } from './StanceChoice.jsx'

const HOW_TO_FILM = [
  'From the side, at hip height, with the whole body and the board in view.',
  'Close enough that the rider fills a third of the height.',
  'With a still camera where a jump is to be measured.',
]

/** The empty state: a labelled file input that fills the place where a photo or clip may be dropped, and how to film. */
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
        <div className="picker-actions">
          <label className="button picker-camera">
            Take a photo
            <FileInput label="Take a photo" accept="image/*" capture="environment" onFiles={onFiles} />
          </label>
          <label className="button picker-camera">
            Film a clip
            <FileInput label="Film a clip" accept="video/*" capture="environment" onFiles={onFiles} />
          </label>
          <SampleButton onFiles={onFiles} />
        </div>
        <StanceChoice stance={stance} onStance={onStance} />
        <div className="picker-advice">
          <h2>How to film</h2>
          <ol>
            {HOW_TO_FILM.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ol>
        </div>
        <p className="picker-facts">JPEG, PNG, HEIC and other photos; short clips in MP4, MOV or WebM.</p>
        <RiderDrawing />
      </div>
    </section>
  )
}
