import './DeleteDialog.css'

import { useEffect, useRef, useState } from 'react'

import { deleteAnalysis } from '../api/analyses.js'
import { ProblemNotice } from './ProblemNotice.jsx'

/** Asks before an analysis and its photo are deleted. What is gone already counts as deleted. */
export function DeleteDialog({ analysis, onDeleted, onCancel }) {
  const dialog = useRef(null)
  const [problem, setProblem] = useState(null)
  const [isDeleting, setIsDeleting] = useState(false)

  useEffect(() => {
    if (!dialog.current.open) dialog.current.showModal()
  }, [])

  async function handleDelete() {
    setIsDeleting(true)
    setProblem(null)
    try {
      await deleteAnalysis(analysis.id)
      onDeleted(analysis.id)
    } catch (error) {
      if (error.status === 404) onDeleted(analysis.id)
      else setProblem(error)
      setIsDeleting(false)
    }
  }

  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="delete-title" onClose={onCancel}>
      <h2 id="delete-title">Delete this analysis?</h2>
      <p>
        <strong>{analysis.filename}</strong> and its measures will be gone for good.
      </p>
      {problem && <ProblemNotice problem={problem} />}
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onCancel}>
          Keep
        </button>
        <button type="button" className="button button-danger" onClick={handleDelete} disabled={isDeleting}>
          Delete
        </button>
      </div>
    </dialog>
  )
}
