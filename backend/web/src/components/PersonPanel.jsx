import './PersonPanel.css'

import { describeStance, readingsOf, unseenOf } from '../pose/readings.js'
import { MeasureTable } from './MeasureTable.jsx'
import { Readings } from './Readings.jsx'
import { Unseen } from './Unseen.jsx'

/** The figures of one person; null for somebody who is not in this frame. */
export function PersonPanel({ person, onPoint }) {
  return (
    <section className="person" aria-label="Stance">
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
