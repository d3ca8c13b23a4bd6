import { vi } from 'vitest'

/** Uploads whose end the test decides: `report(event)`, `finish(status, body)`, `breakOff()`. */
export function holdUploads() {
  const sent = []
  class HeldRequest {
    upload = {}
    open(method, url) {
      this.url = url
    }
    abort() {
      this.onabort()
    }
    send(form) {
      sent.push({
        form,
        url: this.url,
        finish: (status, body) => this.finish(status, body),
        report: (event) => this.upload.onprogress(event),
        breakOff: () => this.onerror(),
      })
    }
    finish(status, body) {
      this.status = status
      this.responseText = JSON.stringify(body)
      this.onload()
    }
  }
  vi.stubGlobal('XMLHttpRequest', HeldRequest)
  return sent
}
