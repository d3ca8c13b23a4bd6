/** Says that the stack behind the page is away, and what that means. Nothing while it is there or not yet known. */
export function AwayNotice({ parts }) {
  const down = (parts ?? []).filter(({ isUp }) => !isUp).map(({ part }) => part)
  if (down.length === 0) return null
  const isPoseOnly = down.length === 1 && down[0] === 'Pose'
  return (
    <div className="notice">
      <p>
        <strong>{down.join(' and ')} cannot be reached.</strong>{' '}
        {isPoseOnly
          ? 'Uploads are accepted and wait for it.'
          : 'What is open stays readable; uploads and changes have to wait. The page comes back by itself.'}
      </p>
    </div>
  )
}
