import './PersonPanel.css'

import { describeStance, readingsOf, unseenOf } from '../pose/readings.js'
import { MeasureTable } from './MeasureTable.jsx'
import { PersonChoice } from './PersonChoice.jsx'
import { Readings } from './Readings.jsx'
import { Unseen } from './Unseen.jsx'

/** The figures of one person, and a choice of persons when there are several. */
export function PersonPanel({ people, personId, person, onPerson, onPoint }) {
  return (
    <section className="person">
      <PersonChoice people={people} personId={personId} onPerson={onPerson} />
      {person ? (
        <>
          <p className="person-stance">{describeStance(person.stance)}</p>
          <Readings readings={readingsOf(person)} onPoint={onPoint} />
          <Unseen groups={unseenOf(person.measures)} assumptions={person.assumptions} />
          <details className="person-all">
            <summary>All measures</summary>
            <MeasureTable measures={person.measures} onPoint={onPoint} />
          </details>
        </>
      ) : (
        <p className="person-away">This person is not seen in this frame.</p>
      )}
    </section>
  )
}
