import '@testing-library/jest-dom/vitest'

import { cleanup, configure } from '@testing-library/react'
import { afterEach, beforeEach } from 'vitest'

// The proxy's tests run without a page.
if (typeof window !== 'undefined') {
  window.matchMedia = () => ({ matches: false, addEventListener: () => {}, removeEventListener: () => {} })
  URL.createObjectURL = () => 'blob:preview'
  URL.revokeObjectURL = () => {}
  // A second is too short on a machine that does other things besides; what comes at once is found at once.
  configure({ asyncUtilTimeout: 20_000 })
  beforeEach(() => {
    window.location.hash = ''
    sessionStorage.clear()
  })
  afterEach(cleanup)
}
