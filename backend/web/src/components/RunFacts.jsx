import './RunFacts.css'

import { describeBytes } from '../pose/wording.js'

/** How the pose was found, folded: engine, device, time or length, size of the picture. */
export function RunFacts({ analysis, image }) {
  const { pose, summary, kind, bytes } = analysis
  const run = pose ?? summary
  const facts = [
    ['Engine', run.engine],
    ['Device', run.device],
    pose ? ['Time', `${Math.round(pose.milliseconds)} ms`] : ['Length', `${run.seconds.toFixed(1)} s`],
    [kind === 'clip' ? 'Clip' : 'Photo', image ? `${image.width} × ${image.height}` : 'no frames'],
    ['File', describeBytes(bytes)],
  ]
  return (
    <details className="run-facts">
      <summary>Engine and file</summary>
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </details>
  )
}
