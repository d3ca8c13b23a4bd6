/** A small button whose picture is a path in a square of 16. */
export function IconButton({ label, title, path, onClick }) {
  return (
    <button type="button" className="icon-button" aria-label={label} title={title} onClick={onClick}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={path} />
      </svg>
    </button>
  )
}
