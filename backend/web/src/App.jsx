import './App.css'

import { useCallback, useState } from 'react'

import { DeleteDialog } from './components/DeleteDialog.jsx'
import { History } from './components/History.jsx'
import { Masthead } from './components/Masthead.jsx'
import { StatusBar } from './components/StatusBar.jsx'
import { Workspace } from './components/Workspace.jsx'
import { useAnalyses } from './hooks/useAnalyses.js'
import { useHashRoute } from './hooks/useHashRoute.js'
import { useHealth } from './hooks/useHealth.js'
import { usePastedPhoto } from './hooks/usePastedPhoto.js'
import { useReturn } from './hooks/useReturn.js'
import { useUpload } from './hooks/useUpload.js'

export function App() {
  const { analysisId, open } = useHashRoute()
  const analyses = useAnalyses()
  const health = useHealth()
  const [toDelete, setToDelete] = useState(null)

  const { reload } = analyses
  const handleDone = useCallback(
    (analysis) => {
      open(analysis.id)
      reload()
    },
    [open, reload],
  )
  const upload = useUpload(handleDone)
  usePastedPhoto(upload.start)

  const isApiUp = health?.[0].isUp && health[1].isUp
  useReturn(isApiUp, reload)

  const handleOpen = (id) => {
    if (upload.phase === 'failed') upload.dismiss()
    open(id)
  }
  const handleDeleted = (id) => {
    setToDelete(null)
    if (id === analysisId) open(null)
    reload()
  }

  return (
    <div className="app">
      <Masthead onNew={() => handleOpen(null)} />
      <main className="app-main">
        <Workspace analysisId={analysisId} upload={upload} isApiUp={isApiUp} onDelete={setToDelete} />
        <History analyses={analyses} openId={analysisId} onOpen={handleOpen} onDelete={setToDelete} />
      </main>
      <StatusBar parts={health} />
      {toDelete && (
        <DeleteDialog
          key={toDelete.id}
          analysis={toDelete}
          onDeleted={handleDeleted}
          onCancel={() => setToDelete(null)}
        />
      )}
    </div>
  )
}
