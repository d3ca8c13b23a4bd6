import '@testing-library/jest-dom/vitest'

import { cleanup } from '@testing-library/react'
import { afterEach, beforeEach } from 'vitest'

// The proxy's tests run without a page.
if (typeof window !== 'undefined') {
  // jsdom knows these and not what they do.
  HTMLDialogElement.prototype.showModal = function showModal() {
    this.open = true
  }
  URL.createObjectURL = () => 'blob:preview'
  URL.revokeObjectURL = () => {}
  beforeEach(() => {
    window.location.hash = ''
  })
  afterEach(cleanup)
}
