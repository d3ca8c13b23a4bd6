/** A file input that its surroundings show; choosing the same file twice counts twice. */
export function FileInput({ label, onFiles, className = 'visually-hidden', ...rest }) {
  function handleChange(event) {
    const files = [...event.target.files]
    event.target.value = ''
    if (files.length > 0) onFiles(files)
  }

  return <input className={className} type="file" aria-label={label} onChange={handleChange} {...rest} />
}
