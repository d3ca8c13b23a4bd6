import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, it, vi } from 'vitest'

import { ErrorBoundary } from '../src/components/ErrorBoundary.jsx'

it('tells an error while drawing in place of what failed, and tries again on demand', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  let isBroken = true
  function Fragile() {
    if (isBroken) throw new Error('no such joint')
    return <p>drawn</p>
  }
  render(
    <ErrorBoundary>
      <Fragile />
    </ErrorBoundary>,
  )
  expect(screen.getByRole('alert')).toHaveTextContent('no such joint')
  isBroken = false
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }))
  expect(screen.getByText('drawn')).toBeInTheDocument()
})
