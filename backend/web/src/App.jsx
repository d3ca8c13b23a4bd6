import './App.css'

import { useCallback, useState } from 'react'

import { AwayNotice } from './components/AwayNotice.jsx'
import { History } from './components/History.jsx'
import { Masthead } from './components/Masthead.jsx'
import { Notices } from './components/Notices.jsx'
import { StatusBar } from './components/StatusBar.jsx'
import { Workspace } from './components/Workspace.jsx'
import { useAnalyses } from './hooks/useAnalyses.js'
import { useArrivingFiles } from './hooks/useArrivingFiles.js'
import { useDeletions } from './hooks/useDeletions.js'
import { useHashRoute } from './hooks/useHashRoute.js'
import { useHealth } from './hooks/useHealth.js'
import { useOtherTabs } from './hooks/useOtherTabs.js'
import { useReturn } from './hooks/useReturn.js'
import { useUpload } from './hooks/useUpload.js'

const SEVERAL = { title: 'One file at a time', detail: 'Drop or paste a single photo or clip.', isTemporary: false }

export function App() {
  const route = useHashRoute()
  const analyses = useAnalyses()
  const health = useHealth()
  const [stance, setStance] = useState('auto')
  const isApiUp = health?.[0].isUp && health[1]?.isUp

  const { reload } = analyses
  const { analysisId, withId, open } = route
  const tellOtherTabs = useOtherTabs(reload)
  useReturn(isApiUp, reload)
  const handleChange = useCallback(() => {
    reload()
    tellOtherTabs()
  }, [reload, tellOtherTabs])

  const handleUploaded = useCallback(
    (analysis) => {
      open(analysis.id)
      handleChange()
    },
    [open, handleChange],
  )
  const upload = useUpload(handleUploaded)
  const { start, refuse } = upload
  const handleFiles = useCallback(
    (files) => {
      open(null)
      if (files.length > 1) refuse(SEVERAL)
      else start(files[0], stance)
    },
    [open, start, refuse, stance],
  )
  const isOver = useArrivingFiles(handleFiles)

  const handleDeletion = useCallback(
    (id, isBack) => {
      if (isBack) open(id)
      else if (id === analysisId || id === withId) open(null)
      handleChange()
    },
    [analysisId, withId, open, handleChange],
  )
  const { deletions, remove, undo, dismiss } = useDeletions(handleDeletion)

  return (
    <div className="app">
      <Masthead onNew={() => open(null)} />
      <main className="app-main">
        <Workspace
          route={route}
          upload={upload}
          picker={{ onFiles: handleFiles, isOver, stance, onStance: setStance }}
          isApiUp={isApiUp}
          onChange={handleChange}
          onDelete={remove}
        />
        <History analyses={analyses} route={route} onChange={handleChange} onDelete={remove} />
      </main>
      <StatusBar parts={health} />
      <Notices deletions={deletions} onUndo={undo} onDismiss={dismiss}>
        <AwayNotice parts={health} />
      </Notices>
    </div>
  )
}
