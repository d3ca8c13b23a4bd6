import './StatusBar.css'

/** One line about the stack: each part, whether it is up, and what it says of itself. */
export function StatusBar({ parts }) {
  return (
    <footer className="status-bar" aria-label="State of the stack">
      {parts ? (
        <ul>
          {parts.map(({ part, isUp, detail }) => (
            <li key={part} className={isUp ? 'is-up' : 'is-down'}>
              <span className="status-dot" aria-hidden="true" />
              <strong>{part}</strong> {detail}
            </li>
          ))}
        </ul>
      ) : (
        <span>Asking the stack how it is…</span>
      )}
    </footer>
  )
}
