import { CurveButton } from './CurveButton.jsx'

/** Legend and choice in one: each curve with its colour and its value in the frame that is looked at. */
export function CurveChoice({ curves, chosen, index, onToggle }) {
  const firsts = curves.filter(({ isFirst }) => isFirst)
  const others = curves.filter(({ isFirst }) => !isFirst)
  const buttonOf = (curve) => (
    <CurveButton
      key={curve.name}
      curve={curve}
      value={curve.values[index] ?? null}
      isChosen={chosen.includes(curve)}
      onToggle={onToggle}
    />
  )
  return (
    <div className="curves-choice" role="group" aria-label="Measures in the charts">
      <div className="curves">{firsts.map(buttonOf)}</div>
      {others.length > 0 && (
        <details className="curves-more">
          <summary>More measures</summary>
          <div className="curves">{others.map(buttonOf)}</div>
        </details>
      )}
    </div>
  )
}
