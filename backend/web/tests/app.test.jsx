import { render, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, it, vi } from 'vitest'

import { App } from '../src/App.jsx'
import { startFakeApi } from './fake-api.js'
import { makeAnalysis } from './people.js'

const PHOTO = new File(['pixels'], 'slope.jpg', { type: 'image/jpeg' })

/** An upload whose end the test decides: `finish(status, body)`. */
function holdUploads() {
  const sent = []
  class HeldRequest {
    upload = {}
    open() {}
    abort() {
      this.onabort()
    }
    send(form) {
      sent.push({
        form,
        finish: (status, body) => this.finish(status, body),
        report: (event) => this.upload.onprogress(event),
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

async function choosePhoto(file = PHOTO) {
  await userEvent.upload(await screen.findByLabelText('Choose a photo'), file, { applyAccept: false })
}

it('sends the chosen photo, shows how far it is, and then the pose', async () => {
  const api = startFakeApi()
  const sent = holdUploads()
  render(<App />)
  await choosePhoto()
  expect(sent[0].form.get('media').name).toBe('slope.jpg')
  expect(screen.getByRole('status')).toHaveTextContent('Sending the photo')
  expect(screen.getByRole('img', { name: 'Preview of slope.jpg' })).toBeInTheDocument()

  sent[0].report({ lengthComputable: true, loaded: 1, total: 4 })
  await waitFor(() => expect(screen.getByRole('progressbar')).toHaveValue(0.25))
  sent[0].report({ lengthComputable: true, loaded: 4, total: 4 })
  await waitFor(() => expect(screen.getByRole('status')).toHaveTextContent('Finding the rider'))

  const analysis = makeAnalysis({ filename: 'slope.jpg' })
  api.analyses.push(analysis)
  sent[0].finish(201, analysis)
  expect(await screen.findByRole('article', { name: 'slope.jpg' })).toBeInTheDocument()
  expect(window.location.hash).toBe(`#/analyses/${analysis.id}`)
  expect(await screen.findByRole('link', { name: /slope.jpg/ })).toHaveAttribute('aria-current', 'page')
})

it('shows the problem of a refused file and takes another one', async () => {
  startFakeApi()
  const sent = holdUploads()
  render(<App />)
  await choosePhoto(new File(['hello'], 'notes.txt', { type: 'text/plain' }))
  sent[0].finish(415, { type: 'about:blank', title: 'Unsupported Media Type', detail: 'Send a photo.' })
  const alert = await screen.findByRole('alert')
  expect(alert).toHaveTextContent('notes.txt')
  expect(alert).toHaveTextContent('Send a photo.')
  expect(within(alert).queryByRole('button', { name: 'Try again' })).toBeNull()
  await choosePhoto()
  expect(sent).toHaveLength(2)
  expect(screen.queryByRole('alert')).toBeNull()
})

it('sends the same file again when the stack was down', async () => {
  startFakeApi()
  const sent = holdUploads()
  render(<App />)
  await choosePhoto()
  sent[0].finish(503, { title: 'Service Unavailable', detail: 'Starting.' })
  await userEvent.click(await screen.findByRole('button', { name: 'Try again' }))
  expect(sent[1].form.get('media').name).toBe('slope.jpg')
})

it('goes back to the start when an upload is cancelled', async () => {
  startFakeApi()
  holdUploads()
  render(<App />)
  await choosePhoto()
  await userEvent.click(screen.getByRole('button', { name: 'Cancel' }))
  expect(await screen.findByLabelText('Choose a photo')).toBeInTheDocument()
  expect(screen.queryByRole('alert')).toBeNull()
})

it('opens the analysis that the address names', async () => {
  const analysis = makeAnalysis()
  startFakeApi([analysis])
  window.location.hash = `#/analyses/${analysis.id}`
  render(<App />)
  expect(await screen.findByRole('article', { name: 'rider.jpg' })).toBeInTheDocument()
})

it('explains an address whose analysis is gone', async () => {
  startFakeApi()
  window.location.hash = '#/analyses/0123'
  render(<App />)
  expect(await screen.findByRole('alert')).toHaveTextContent('There is no analysis 0123.')
  expect(screen.getByLabelText('Choose a photo')).toBeInTheDocument()
})

it('deletes only after a confirmation', async () => {
  const analysis = makeAnalysis()
  const api = startFakeApi([analysis])
  window.location.hash = `#/analyses/${analysis.id}`
  render(<App />)
  await userEvent.click(await screen.findByRole('button', { name: 'Delete rider.jpg' }))
  await userEvent.click(screen.getByRole('button', { name: 'Keep' }))
  expect(api.analyses).toHaveLength(1)

  await userEvent.click(screen.getByRole('button', { name: 'Delete rider.jpg' }))
  await userEvent.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Delete' }))
  expect(await screen.findByText(/None yet/)).toBeInTheDocument()
  expect(api.analyses).toHaveLength(0)
  expect(screen.getByLabelText('Choose a photo')).toBeInTheDocument()
})

it('says that the API is down and loads the list when asked again', async () => {
  const api = startFakeApi([makeAnalysis()])
  api.isDown = true
  render(<App />)
  const history = screen.getByRole('region', { name: 'Earlier analyses' })
  expect(await within(history).findByRole('alert')).toHaveTextContent('It may still be starting.')
  expect(await screen.findByText('It may still be starting.', { selector: '.is-down' })).toBeInTheDocument()
  api.isDown = false
  await userEvent.click(within(history).getByRole('button', { name: 'Try again' }))
  expect(await within(history).findByRole('link', { name: /rider.jpg/ })).toBeInTheDocument()
  expect(within(history).queryByRole('alert')).toBeNull()
})
