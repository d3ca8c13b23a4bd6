import { lazy, Suspense, useState } from 'react'

import { useSubject } from '../hooks/useSubject.js'
import { Downloads } from './Downloads.jsx'
import { Loading } from './Loading.jsx'
import { PersonPanel } from './PersonPanel.jsx'
import { ProblemNotice } from './ProblemNotice.jsx'
import { RunFacts } from './RunFacts.jsx'
import { SubjectFigure } from './SubjectFigure.jsx'

// The library that draws them is fetched when the first clip is opened.
const ClipCharts = lazy(() => import('./ClipCharts.jsx'))

/** A finished analysis: the picture with what was found in it, the figures beside it, a clip's charts below. */
export function SubjectView({ analysis, params, onKeep }) {
  const subject = useSubject(analysis, { person: params.get('person'), at: params.get('at') }, onKeep)
  const [pointedJoints, setPointedJoints] = useState([])
  const { image, people, personId, person, clip, picture } = subject
  if (clip?.problem && !image) return <ProblemNotice problem={clip.problem} />
  if (!image && !clip?.isComplete) return <Loading label="Loading the frames" />

  return (
    <div className="subject" style={image && { '--photo-ratio': image.width / image.height }}>
      <SubjectFigure subject={subject} analysis={analysis} pointedJoints={pointedJoints} />
      <aside className="analysis-side" aria-label="Measures">
        {people.length > 0 ? (
          <PersonPanel
            people={people}
            personId={personId}
            person={person}
            onPerson={subject.choosePerson}
            onPoint={setPointedJoints}
          />
        ) : (
          <p className="analysis-nobody">
            <strong>Nobody found</strong>
            No person was found here. A larger rider, or one who is seen whole, helps.
          </p>
        )}
        <Downloads analysis={analysis} subject={subject} picture={picture} />
        <RunFacts analysis={analysis} image={image} />
      </aside>
      {clip && people.length > 0 && (
        <Suspense fallback={<div className="charts charts-waiting" />}>
          <ClipCharts clip={clip} personId={personId} stance={subject.stance} />
        </Suspense>
      )}
    </div>
  )
}
