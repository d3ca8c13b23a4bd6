import './AnalysisView.css'

import { useState } from 'react'

import { describeMoment } from '../pose/wording.js'
import { PersonPanel } from './PersonPanel.jsx'
import { PoseFigure } from './PoseFigure.jsx'
import { ProblemNotice } from './ProblemNotice.jsx'
import { RunFacts } from './RunFacts.jsx'

/** One analysis: the photo with what was found in it, and the figures beside it. */
export function AnalysisView({ analysis, onDelete }) {
  const [personIndex, setPersonIndex] = useState(0)
  const [pointedJoints, setPointedJoints] = useState([])
  const { pose } = analysis
  const person = pose?.people[personIndex]

  return (
    <article
      className="analysis"
      aria-label={analysis.filename}
      style={pose && { '--photo-ratio': pose.image.width / pose.image.height }}
    >
      <header className="analysis-head">
        <div>
          <h1>{analysis.filename}</h1>
          <time dateTime={analysis.createdAt}>{describeMoment(analysis.createdAt)}</time>
        </div>
        <button type="button" className="button button-quiet" onClick={() => onDelete(analysis)}>
          Delete
        </button>
      </header>
      {analysis.error && <ProblemNotice problem={analysis.error} />}
      <PoseFigure
        analysis={analysis}
        personIndex={personIndex}
        pointedJoints={pointedJoints}
        onPerson={setPersonIndex}
      />
      <aside className="analysis-side" aria-label="Measures">
        {person && <PersonPanel pose={pose} index={personIndex} onPerson={setPersonIndex} onPoint={setPointedJoints} />}
        {pose && !person && (
          <p className="analysis-nobody">
            <strong>Nobody found</strong>
            No person was found in this photo. A larger rider, or one who is seen whole, helps.
          </p>
        )}
        {pose && <RunFacts pose={pose} />}
      </aside>
    </article>
  )
}
