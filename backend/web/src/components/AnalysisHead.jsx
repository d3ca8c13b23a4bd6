import { useState } from 'react'

import { describeMoment, titleOf } from '../pose/wording.js'
import { NameField } from './NameField.jsx'

/** Name, date and what can be done with the whole analysis. */
export function AnalysisHead({ analysis, onChange, onDelete }) {
  const [isRenaming, setIsRenaming] = useState(false)
  return (
    <header className="analysis-head">
      <div className="analysis-title">
        {isRenaming ? (
          <NameField analysis={analysis} onChange={onChange} onEnd={() => setIsRenaming(false)} />
        ) : (
          <h1>{titleOf(analysis)}</h1>
        )}
        <p className="analysis-source">
          <span>{analysis.filename}</span>
          {' · '}
          <time dateTime={analysis.createdAt}>{describeMoment(analysis.createdAt)}</time>
        </p>
      </div>
      <div className="analysis-actions">
        {!isRenaming && (
          <button type="button" className="button" onClick={() => setIsRenaming(true)}>
            Rename
          </button>
        )}
        <button type="button" className="button button-quiet" onClick={() => onDelete(analysis)}>
          Delete
        </button>
      </div>
    </header>
  )
}
