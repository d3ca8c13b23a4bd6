import './ProblemNotice.css'

/** A problem in words, with what can be done about it. `subject` names the thing it is about, a file for example. */
export function ProblemNotice({ problem, subject, onRetry, onDismiss }) {
  return (
    <div className="problem" role="alert">
      <svg className="problem-icon" viewBox="0 0 20 20" aria-hidden="true">
        <path d="M10 3 18 17H2Z" />
        <path d="M10 8.4v3.8M10 14.4v.2" />
      </svg>
      <div className="problem-text">
        <strong>{problem.title}</strong>
        {subject && <span className="problem-subject">{subject}</span>}
        {problem.detail && <p>{problem.detail}</p>}
      </div>
      <div className="problem-actions">
        {onRetry && (
          <button type="button" className="button" onClick={onRetry}>
            Try again
          </button>
        )}
        {onDismiss && (
          <button type="button" className="button button-quiet" onClick={onDismiss}>
            Dismiss
          </button>
        )}
      </div>
    </div>
  )
}
