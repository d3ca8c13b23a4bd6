import './NameField.css'

import { useEffect, useRef, useState } from 'react'

import { renameAnalysis } from '../api/analyses.js'
import { useAction } from '../hooks/useAction.js'

const LONGEST = 200

/** A field for another name: Enter or Save keeps it, Escape or Cancel does not. */
export function NameField({ analysis, onChange, onEnd }) {
  const [name, setName] = useState(analysis.name)
  const field = useRef(null)
  const [save, problem] = useAction(async () => {
    await renameAnalysis(analysis.id, name)
    onChange()
    onEnd()
  })

  useEffect(() => {
    field.current.focus()
    field.current.select()
  }, [])

  function handleSubmit(event) {
    event.preventDefault()
    save()
  }

  return (
    <form className="name-field" onSubmit={handleSubmit}>
      <input
        ref={field}
        aria-label="Name"
        value={name}
        maxLength={LONGEST}
        required
        pattern=".*\S.*"
        onChange={(event) => setName(event.target.value)}
        onKeyDown={(event) => event.key === 'Escape' && onEnd()}
      />
      <button type="submit" className="button button-primary">
        Save
      </button>
      <button type="button" className="button button-quiet" onClick={onEnd}>
        Cancel
      </button>
      {problem && (
        <p className="name-problem" role="alert">
          {problem.message}
        </p>
      )}
    </form>
  )
}
