import './Masthead.css'

export function Masthead({ onNew }) {
  return (
    <header className="masthead">
      <a className="masthead-brand" href="#/" aria-label="Snowboarding, start page">
        <svg className="masthead-mark" viewBox="0 0 32 32" aria-hidden="true">
          <path className="masthead-ridge" d="M2 26 12 8l5.5 9.5 3-4.6L30 26Z" />
          <path className="masthead-glow" d="m12 8 3.9 6.7-2.9 2.4-2-2.2-1.7 1.7-1.1-1.4z" />
        </svg>
        <span>Snowboarding</span>
      </a>
      <p className="masthead-claim">Body position, measured from a photo or a clip</p>
      <button type="button" className="button button-primary" onClick={onNew}>
        <svg className="button-icon" viewBox="0 0 16 16" aria-hidden="true">
          <path d="M8 2.5v11M2.5 8h11" />
        </svg>
        New analysis
      </button>
    </header>
  )
}
