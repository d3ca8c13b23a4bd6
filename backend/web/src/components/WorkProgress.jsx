import './UploadProgress.css'

import { describePeople, describeWait } from '../pose/wording.js'

/** How far the work on one analysis is. Only the first line is read aloud, for it changes rarely. */
export function WorkProgress({ analysis, isLinked }) {
  const progress = analysis.progress ?? {}
  const { framesDone, framesTotal, people, etaSeconds, waitingFor } = progress
  const share = framesTotal ? framesDone / framesTotal : undefined
  const facts = [
    framesDone > 0 && `${framesDone}${framesTotal ? ` of ${framesTotal}` : ''} frames`,
    framesDone > 0 && describePeople(people),
    etaSeconds > 0 && `${describeWait(etaSeconds)} left`,
  ].filter(Boolean)
  return (
    <section className="progress-facts" aria-label="Progress">
      <p role="status">
        <strong>{describeWork(analysis, isLinked)}</strong>
      </p>
      <p className="progress-file">{waitingFor ?? (facts.join(' · ') || ' ')}</p>
      <progress aria-label="Progress of the analysis" max="1" value={share} />
      <p className="progress-file">You may leave or close this page: the work goes on and is found in the list.</p>
    </section>
  )
}

function describeWork({ status, progress }, isLinked) {
  if (!isLinked) return 'Connection lost. Trying again…'
  if (progress?.waitingFor) return 'Waiting…'
  return status === 'received' && !progress ? 'Waiting for its turn…' : 'Finding the riders…'
}
