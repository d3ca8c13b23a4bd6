import '@testing-library/jest-dom/vitest'

import { cleanup } from '@testing-library/react'
import { afterEach, beforeEach } from 'vitest'

// The proxy's tests run without a page.
if (typeof window !== 'undefined') {
  window.matchMedia = () => ({ matches: false, addEventListener: () => {}, removeEventListener: () => {} })
  URL.createObjectURL = () => 'blob:preview'
  URL.revokeObjectURL = () => {}
  beforeEach(() => {
    window.location.hash = ''
    sessionStorage.clear()
  })
  afterEach(cleanup)
}
