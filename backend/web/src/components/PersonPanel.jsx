import './PersonPanel.css'

import { MeasureTable } from './MeasureTable.jsx'

/** The figures of one person, and a choice of persons when there are several. */
export function PersonPanel({ pose, index, onPerson, onPoint }) {
  const person = pose.people[index]
  return (
    <section className="person">
      {pose.people.length > 1 && (
        <div className="person-choice" role="group" aria-label="Person">
          {pose.people.map((_, each) => (
            <button key={each} type="button" aria-pressed={each === index} onClick={() => onPerson(each)}>
              {each + 1}
            </button>
          ))}
        </div>
      )}
      <MeasureTable measures={person.measures} onPoint={onPoint} />
      {person.assumptions.length > 0 && (
        <div className="person-assumptions">
          <h3>Assumed</h3>
          <ul>
            {person.assumptions.map((assumption) => (
              <li key={assumption}>{assumption}</li>
            ))}
          </ul>
        </div>
      )}
    </section>
  )
}
