import { lazy, Suspense, useMemo, useState } from 'react'

import { usePortraits } from '../hooks/usePortraits.js'
import { useSubject } from '../hooks/useSubject.js'
import { jumpOf, portraitsOf } from '../pose/clip-people.js'
import { Downloads } from './Downloads.jsx'
import { FigureLegend } from './FigureLegend.jsx'
import { Jump } from './Jump.jsx'
import { Loading } from './Loading.jsx'
import { PersonChoice } from './PersonChoice.jsx'
import { PersonPanel } from './PersonPanel.jsx'
import { Presence } from './Presence.jsx'
import { ProblemNotice } from './ProblemNotice.jsx'
import { RunFacts } from './RunFacts.jsx'
import { SubjectFigure } from './SubjectFigure.jsx'

// The library that draws them is fetched when the first clip is opened.
const ClipCharts = lazy(() => import('./ClipCharts.jsx'))
const NONE = []

/** A finished analysis: the picture with what was found in it and a clip's charts, which stay; the figures beside. */
export function SubjectView({ analysis, params, onKeep }) {
  const subject = useSubject(analysis, { person: params.get('person'), at: params.get('at') }, onKeep)
  const [pointedJoints, setPointedJoints] = useState(NONE)
  const [isBare, setIsBare] = useState(false)
  const { image, people, personId, clip } = subject
  if (clip?.problem && !image) return <ProblemNotice problem={clip.problem} />
  if (!image && !clip?.isComplete) return <Loading label="Loading the frames" />

  return (
    <div
      className={clip ? 'subject is-clip' : 'subject'}
      style={image && { '--photo-ratio': image.width / image.height }}
    >
      <div className="subject-stage">
        <SubjectFigure subject={subject} analysis={analysis} pointedJoints={pointedJoints} isBare={isBare} />
        <FigureLegend isBare={isBare} onBare={setIsBare} />
        {clip && people.length > 0 && (
          <Suspense fallback={<div className="charts charts-waiting" />}>
            <ClipCharts clip={clip} personId={personId} stance={subject.stance} />
          </Suspense>
        )}
      </div>
      <aside className="analysis-side" aria-label="Measures">
        {people.length > 0 ? (
          <Rider analysis={analysis} subject={subject} onPoint={setPointedJoints} />
        ) : (
          <p className="analysis-nobody">
            <strong>Nobody found</strong>
            No person was found here. A larger rider, or one who is seen whole, helps.
          </p>
        )}
      </aside>
      <div className="analysis-more">
        <Downloads analysis={analysis} subject={subject} picture={subject.picture} />
        <RunFacts analysis={analysis} image={image} />
      </div>
    </div>
  )
}

/** All that was found about one person, and a choice of persons when there are several. */
function Rider({ analysis, subject, onPoint }) {
  const { people, personId, person, entry, clip } = subject
  const { pose, summary } = analysis
  const frames = clip?.isComplete ? clip.frames : NONE
  const wanted = useMemo(() => {
    if (people.length < 2) return NONE
    return pose ? people.map(({ id, box }) => ({ id, box, image: pose.image })) : portraitsOf(people, frames)
  }, [pose, people, frames])
  const portraits = usePortraits(analysis, wanted)
  return (
    <>
      {clip && <Presence person={entry} summary={summary} frames={clip.frames} />}
      <PersonChoice people={people} personId={personId} portraits={portraits} onPerson={subject.choosePerson} />
      {clip && <Jump jump={jumpOf(entry)} onSeekTime={clip.seekTime} />}
      <PersonPanel person={person} onPoint={onPoint} />
    </>
  )
}
