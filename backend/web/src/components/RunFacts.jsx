import './RunFacts.css'

/** How the pose was found: engine, device, time, size of the photo. */
export function RunFacts({ pose }) {
  const facts = [
    ['Engine', pose.engine],
    ['Device', pose.device],
    ['Time', `${Math.round(pose.milliseconds)} ms`],
    ['Photo', `${pose.image.width} × ${pose.image.height}`],
  ]
  return (
    <dl className="run-facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
