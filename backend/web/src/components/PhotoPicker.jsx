import './PhotoPicker.css'

import { useState } from 'react'

import { RiderDrawing } from './RiderDrawing.jsx'

/** The empty state: a labelled file input that is also the place to drop a photo. */
export function PhotoPicker({ onPhoto, notice }) {
  const [isOver, setIsOver] = useState(false)

  function handleDrop(event) {
    event.preventDefault()
    setIsOver(false)
    const [file] = event.dataTransfer.files
    if (file) onPhoto(file)
  }

  function handleDragOver(event) {
    event.preventDefault()
    setIsOver(true)
  }

  function handleChange(event) {
    const [file] = event.target.files
    // Choosing the same file twice must count as a change.
    event.target.value = ''
    if (file) onPhoto(file)
  }

  return (
    <section className="picker" aria-label="New photo">
      {notice}
      <label
        className={isOver ? 'picker-area is-over' : 'picker-area'}
        onDrop={handleDrop}
        onDragOver={handleDragOver}
        onDragLeave={() => setIsOver(false)}
      >
        <span className="picker-title">Drop a photo of a rider</span>
        <span className="picker-hint">
          or <span className="picker-link">choose a file</span>, or paste one
        </span>
        <input
          className="picker-input"
          type="file"
          accept="image/*"
          aria-label="Choose a photo"
          onChange={handleChange}
        />
        <span className="picker-facts">JPEG, PNG or WebP. One person, whole body in view, works best.</span>
        <RiderDrawing />
      </label>
    </section>
  )
}
