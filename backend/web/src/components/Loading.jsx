import './Loading.css'

export function Loading({ label }) {
  return (
    <div className="loading" role="status">
      <span className="loading-line" aria-hidden="true" />
      {label}…
    </div>
  )
}
