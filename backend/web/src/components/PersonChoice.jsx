/** A button for each person; nothing when there is no choice. */
export function PersonChoice({ people, personId, onPerson }) {
  if (people.length < 2) return null
  return (
    <div className="person-choice" role="group" aria-label="Person">
      {people.map(({ id }) => (
        <button key={id} type="button" aria-pressed={id === personId} onClick={() => onPerson(id)}>
          Person {id}
        </button>
      ))}
    </div>
  )
}
