import { fireEvent, render, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, it, vi } from 'vitest'

import { App } from '../src/App.jsx'
import { startFakeApi } from './fake-api.js'
import { startFakeEvents } from './fake-events.js'
import { holdUploads } from './held-uploads.js'
import { makeAnalysis, makePerson } from './people.js'

const PHOTO = new File(['pixels'], 'slope.jpg', { type: 'image/jpeg' })
const FILE_LABEL = 'Choose a photo or clip'

async function choosePhoto(file = PHOTO) {
  await userEvent.upload(await screen.findByLabelText(FILE_LABEL), file, { applyAccept: false })
}

it('sends the chosen photo, shows how far it is, follows the work, and then shows the pose', async () => {
  const api = startFakeApi()
  const sent = holdUploads()
  const streams = startFakeEvents()
  render(<App />)
  await userEvent.click(screen.getByRole('radio', { name: 'Goofy' }))
  await choosePhoto()
  expect(sent[0].url).toBe('/api/analyses?stance=goofy')
  expect(sent[0].form.get('media').name).toBe('slope.jpg')
  expect(screen.getByRole('img', { name: 'Preview of slope.jpg' })).toBeInTheDocument()
  sent[0].report({ lengthComputable: true, loaded: 1, total: 4 })
  await waitFor(() => expect(screen.getByRole('progressbar')).toHaveValue(0.25))

  const analysis = makeAnalysis({ name: 'slope.jpg', status: 'received', pose: null })
  api.analyses.push(analysis)
  sent[0].finish(201, analysis)
  expect(await screen.findByText('Waiting for its turn…')).toBeInTheDocument()
  expect(window.location.hash).toBe(`#/analyses/${analysis.id}`)
  await waitFor(() => expect(streams).toHaveLength(1))
  streams[0].tell('progress', { framesDone: 1, framesTotal: 2, people: 1 })
  expect(await screen.findByText('1 of 2 frames · 1 person')).toBeInTheDocument()

  Object.assign(analysis, makeAnalysis({ name: 'slope.jpg' }))
  streams[0].tell('status', { status: 'done', people: 1 })
  expect(await screen.findByRole('group', { name: 'Skeleton' })).toBeInTheDocument()
  expect(await screen.findByRole('link', { name: /slope.jpg/ })).toHaveAttribute('aria-current', 'page')
})

it('names a chosen file that this browser cannot show', async () => {
  startFakeApi()
  holdUploads()
  render(<App />)
  await choosePhoto(new File(['pixels'], 'slope.heic', { type: 'image/heic' }))
  fireEvent.error(screen.getByRole('img', { name: 'Preview of slope.heic' }))
  expect(screen.queryByRole('img', { name: 'Preview of slope.heic' })).toBeNull()
  expect(screen.getByText('slope.heic')).toBeInTheDocument()
})

it('opens what is there already when the same file is sent again', async () => {
  const analysis = makeAnalysis()
  startFakeApi([analysis])
  const sent = holdUploads()
  render(<App />)
  await choosePhoto()
  sent[0].finish(200, { ...analysis, duplicate: true })
  expect(await screen.findByRole('article', { name: 'rider.jpg' })).toBeInTheDocument()
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

it('sends the same file again after the connection broke', async () => {
  startFakeApi()
  const sent = holdUploads()
  render(<App />)
  await choosePhoto()
  sent[0].breakOff()
  await userEvent.click(await screen.findByRole('button', { name: 'Try again' }))
  expect(sent[1].form.get('media').name).toBe('slope.jpg')
})

it('goes back to the start when an upload is cancelled', async () => {
  startFakeApi()
  holdUploads()
  render(<App />)
  await choosePhoto()
  await userEvent.click(screen.getByRole('button', { name: 'Cancel' }))
  expect(await screen.findByLabelText(FILE_LABEL)).toBeInTheDocument()
  expect(screen.queryByRole('alert')).toBeNull()
})

it('tells after a reload which upload it cut off', async () => {
  startFakeApi()
  holdUploads()
  const { unmount } = render(<App />)
  await choosePhoto()
  unmount()
  render(<App />)
  expect(await screen.findByRole('alert')).toHaveTextContent('before slope.jpg had arrived')
})

it('tells it again after a reload until it is dismissed', async () => {
  startFakeApi()
  const sent = holdUploads()
  const first = render(<App />)
  await choosePhoto()
  sent[0].breakOff()
  expect(await screen.findByRole('alert')).toHaveTextContent('No answer')
  first.unmount()
  const second = render(<App />)
  expect(await screen.findByRole('alert')).toHaveTextContent('before slope.jpg had arrived')
  await userEvent.click(screen.getByRole('button', { name: 'Dismiss' }))
  second.unmount()
  render(<App />)
  expect(await screen.findByLabelText(FILE_LABEL)).toBeInTheDocument()
  expect(screen.queryByRole('alert')).toBeNull()
})

it('takes one file that is dropped anywhere, and refuses two', async () => {
  startFakeApi()
  const sent = holdUploads()
  render(<App />)
  const drop = (files) => fireEvent.drop(document.body, { dataTransfer: { types: ['Files'], files } })
  drop([PHOTO, PHOTO])
  expect(await screen.findByRole('alert')).toHaveTextContent('One file at a time')
  expect(sent).toHaveLength(0)
  drop([PHOTO])
  await waitFor(() => expect(sent).toHaveLength(1))
})

it('explains an address whose analysis is gone', async () => {
  startFakeApi()
  window.location.hash = '#/analyses/0123'
  render(<App />)
  expect(await screen.findByRole('alert')).toHaveTextContent('There is no analysis 0123.')
  expect(screen.getByLabelText(FILE_LABEL)).toBeInTheDocument()
})

it('deletes at once and brings back on Undo', async () => {
  const analysis = makeAnalysis()
  const api = startFakeApi([analysis])
  window.location.hash = `#/analyses/${analysis.id}`
  render(<App />)
  await userEvent.click(await screen.findByRole('button', { name: 'Delete rider.jpg' }))
  expect(await screen.findByText(/None yet/)).toBeInTheDocument()
  expect(api.analyses).toHaveLength(0)
  expect(screen.getByLabelText(FILE_LABEL)).toBeInTheDocument()
  await userEvent.click(screen.getByRole('button', { name: 'Undo' }))
  await waitFor(() => expect(screen.getByRole('article', { name: 'rider.jpg' })).toBeInTheDocument())
  expect(api.analyses).toHaveLength(1)
  expect(screen.queryByRole('button', { name: 'Undo' })).toBeNull()
})

it('says when a deletion did not work', async () => {
  const api = startFakeApi([makeAnalysis()])
  render(<App />)
  const button = await screen.findByRole('button', { name: 'Delete rider.jpg' })
  api.isDown = true
  await userEvent.click(button)
  expect(await screen.findByText(/rider.jpg: It may still be starting/)).toBeInTheDocument()
  expect(screen.queryByRole('button', { name: 'Undo' })).toBeNull()
})

it('renames from the list', async () => {
  const api = startFakeApi([makeAnalysis()])
  render(<App />)
  await userEvent.click(await screen.findByRole('button', { name: 'Rename rider.jpg' }))
  await userEvent.keyboard('First run{Enter}')
  expect(await screen.findByRole('link', { name: /First run/ })).toBeInTheDocument()
  expect(api.analyses[0].name).toBe('First run')
})

it('puts two analyses side by side with their difference', async () => {
  const bent = { knee_flexion_left: { value: 60, unit: 'degrees', confidence: 0.9 } }
  const other = makeAnalysis({ id: 'other', name: 'other.jpg' })
  other.pose = { ...other.pose, people: [makePerson({ measures: bent })] }
  const analysis = makeAnalysis()
  startFakeApi([analysis, other])
  window.location.hash = `#/analyses/${analysis.id}`
  render(<App />)
  await userEvent.click(await screen.findByRole('button', { name: 'Compare with other.jpg' }))
  expect(await screen.findByRole('row', { name: /Front knee 42° 60° 18°/ })).toBeInTheDocument()
  await userEvent.click(screen.getByRole('button', { name: 'End comparison' }))
  expect(await screen.findByRole('article', { name: 'rider.jpg' })).toBeInTheDocument()
})

it('says that the API is away, and keeps what is open', async () => {
  const analysis = makeAnalysis()
  const api = startFakeApi([analysis])
  window.location.hash = `#/analyses/${analysis.id}`
  render(<App />)
  expect(await screen.findByRole('article', { name: 'rider.jpg' })).toBeInTheDocument()
  api.isDown = true
  document.dispatchEvent(new Event('visibilitychange'))
  const history = screen.getByRole('region', { name: 'Earlier analyses' })
  expect(await within(history).findByRole('alert')).toHaveTextContent('It may still be starting.')
  expect(within(history).getByRole('link', { name: /rider.jpg/ })).toBeInTheDocument()
  expect(screen.getByRole('article', { name: 'rider.jpg' })).toBeInTheDocument()
  api.isDown = false
  await userEvent.click(within(history).getByRole('button', { name: 'Try again' }))
  await waitFor(() => expect(within(history).queryByRole('alert')).toBeNull())
})

it('names the parts of the stack that are away when it starts', async () => {
  const api = startFakeApi()
  api.isDown = true
  render(<App />)
  expect(await screen.findByText('API cannot be reached.')).toBeInTheDocument()
})

it('offers a sample to those who have no picture at hand', async () => {
  startFakeApi()
  const sent = holdUploads()
  const answer = globalThis.fetch
  vi.stubGlobal('fetch', (url, options) =>
    url === '/sample.jpg' ? Promise.resolve(new Response('pixels')) : answer(url, options),
  )
  render(<App />)
  await userEvent.click(screen.getByRole('button', { name: 'Try it with a sample' }))
  await waitFor(() => expect(sent).toHaveLength(1))
  expect(sent[0].form.get('media')).toMatchObject({ name: 'sample.jpg', type: 'image/jpeg' })
})
