import './Notices.css'

/** Short messages over the lower edge of the page, read aloud as they come: deletions with the way back, and more. */
export function Notices({ deletions, onUndo, onDismiss, children }) {
  return (
    <div className="notices" role="status" aria-label="Messages">
      {children}
      {deletions.map((deletion) => (
        <div className="notice" key={deletion.id}>
          <p>
            {deletion.problem ? (
              <>
                <strong>{deletion.problem.title}</strong> {deletion.name}: {deletion.problem.detail}
              </>
            ) : (
              <>
                <strong>{deletion.name}</strong> is deleted.
              </>
            )}
          </p>
          {deletion.until && (
            <button type="button" className="button" onClick={() => onUndo(deletion)}>
              Undo
            </button>
          )}
          <button type="button" className="button button-quiet" onClick={() => onDismiss(deletion.id)}>
            Dismiss
          </button>
        </div>
      ))}
    </div>
  )
}
