import { labelOfMeasure } from '../pose/measures.js'

/** What the picture does not show, and what was taken for granted instead. */
export function Unseen({ groups, assumptions }) {
  return (
    <details className="person-assumptions">
      <summary>What this picture cannot tell</summary>
      <ul>
        {groups.map(({ reason, names }) => (
          <li key={reason}>
            {reason}: no {names.map((name) => labelOfMeasure(name).toLowerCase()).join(', ')}.
          </li>
        ))}
        {assumptions.map((assumption) => (
          <li key={assumption}>{assumption}</li>
        ))}
      </ul>
    </details>
  )
}
