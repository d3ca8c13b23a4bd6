import { describeSilence, parseProblem } from './problem.js'

const ACCEPTED = [200, 201]

/**
 * Send one photo or clip; resolves with its analysis as soon as the API has it, `duplicate` when it was there before.
 * `onProgress` gets the sent fraction, 0-1.
 * XMLHttpRequest, because fetch cannot tell how much of an upload was sent.
 */
export function uploadAnalysis(file, { stance, onProgress, signal }) {
  const form = new FormData()
  form.append('media', file, file.name)
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', `/api/analyses?stance=${stance}`)
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total)
    request.upload.onload = () => onProgress(1)
    request.onload = () => settle(request, resolve, reject)
    request.onerror = () => reject(describeSilence())
    request.onabort = () => reject(new DOMException('The upload was cancelled', 'AbortError'))
    signal.addEventListener('abort', () => request.abort(), { once: true })
    request.send(form)
  })
}

function settle(request, resolve, reject) {
  if (ACCEPTED.includes(request.status)) resolve(JSON.parse(request.responseText))
  else reject(parseProblem(request.status, request.responseText))
}
