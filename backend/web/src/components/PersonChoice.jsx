import './PersonChoice.css'

import { formatSpan, isMoment } from '../pose/timeline.js'

const MOST_AT_FIRST = 6

/** A button with a small picture for each person; nothing when there is no choice. Who is seen briefly is folded. */
export function PersonChoice({ people, personId, portraits, onPerson }) {
  if (people.length < 2) return null
  const first = people.slice(0, MOST_AT_FIRST)
  const others = people.slice(MOST_AT_FIRST)
  const cardOf = (person) => (
    <PersonCard
      key={person.id}
      person={person}
      portrait={portraits?.get(person.id)}
      isChosen={person.id === personId}
      onChoose={() => onPerson(person.id)}
    />
  )
  return (
    <div className="person-choice" role="group" aria-label="Person">
      <div className="person-cards">{first.map(cardOf)}</div>
      {others.length > 0 && (
        <details open={others.some(({ id }) => id === personId)}>
          <summary>{others.length} more</summary>
          <div className="person-cards">{others.map(cardOf)}</div>
        </details>
      )}
    </div>
  )
}

function PersonCard({ person, portrait, isChosen, onChoose }) {
  const { id, first_seconds: first, last_seconds: last } = person
  return (
    <button type="button" className="person-card" aria-pressed={isChosen} onClick={onChoose}>
      <span className="person-portrait" aria-hidden="true">
        {portrait ? <img src={portrait} alt="" /> : id}
      </span>
      <span className="person-name">
        Person {id}
        {isMoment(first) && <span className="person-span">{formatSpan(first, last)}</span>}
      </span>
    </button>
  )
}
