const STANCES = [
  ['auto', 'Find out'],
  ['regular', 'Regular'],
  ['goofy', 'Goofy'],
]

/** Which foot the rider has in front; it decides what is called front and rear. */
export function StanceChoice({ stance, onStance }) {
  return (
    <fieldset className="stance">
      <legend>Stance</legend>
      {STANCES.map(([value, label]) => (
        <label key={value}>
          <input type="radio" name="stance" value={value} checked={stance === value} onChange={() => onStance(value)} />
          {label}
        </label>
      ))}
    </fieldset>
  )
}
