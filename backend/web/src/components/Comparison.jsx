import './Comparison.css'

import { useState } from 'react'

import { useAnalysis } from '../hooks/useAnalysis.js'
import { useSubject } from '../hooks/useSubject.js'
import { titleOf } from '../pose/wording.js'
import { ComparisonTable } from './ComparisonTable.jsx'
import { FigureLegend } from './FigureLegend.jsx'
import { Loading } from './Loading.jsx'
import { PersonChoice } from './PersonChoice.jsx'
import { ProblemNotice } from './ProblemNotice.jsx'
import { SubjectFigure } from './SubjectFigure.jsx'

/** Two analyses side by side, and the difference of what a rider reads first. */
export default function Comparison({ analysis, route }) {
  const other = useAnalysis(route.withId)
  const close = (
    <button type="button" className="button" onClick={() => route.compare(null)}>
      End comparison
    </button>
  )
  if (other.isLoading) return <Loading label="Loading the other analysis" />
  const unfit = [analysis, other.data].find((one) => one?.status !== 'done')
  if (!other.data || unfit) {
    const detail = `${unfit?.name ?? 'The other analysis'} has no result to compare.`
    return (
      <section className="comparison" aria-label="Comparison">
        <ProblemNotice problem={other.problem ?? { title: 'Nothing to compare', detail }} />
        {close}
      </section>
    )
  }
  return (
    <section className="comparison" aria-label="Comparison">
      <header className="analysis-head">
        <h1>Side by side</h1>
        {close}
      </header>
      <Pair first={analysis} second={other.data} route={route} />
    </section>
  )
}

function Pair({ first, second, route }) {
  const { params, keep } = route
  const [isBare, setIsBare] = useState(false)
  const left = useSubject(first, { person: params.get('person'), at: params.get('at') }, keep)
  const right = useSubject(second, { person: params.get('person2'), at: params.get('at2') }, keepSecond)

  function keepSecond({ person, at }) {
    keep({ person2: person, at2: at })
  }
  return (
    <>
      <div className="comparison-pair">
        <Side analysis={first} subject={left} isBare={isBare} />
        <Side analysis={second} subject={right} isBare={isBare} />
      </div>
      <FigureLegend isBare={isBare} onBare={setIsBare} />
      <ComparisonTable names={[titleOf(first), titleOf(second)]} people={[left.person, right.person]} />
    </>
  )
}

function Side({ analysis, subject, isBare }) {
  return (
    <article className="comparison-side" aria-label={analysis.name}>
      <h2>
        <a href={`#/analyses/${analysis.id}`}>{titleOf(analysis)}</a>
      </h2>
      <SubjectFigure subject={subject} analysis={analysis} isBare={isBare} />
      <PersonChoice people={subject.people} personId={subject.personId} onPerson={subject.choosePerson} />
    </article>
  )
}
