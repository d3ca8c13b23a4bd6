import './History.css'

import { useState } from 'react'

import { HistoryItem } from './HistoryItem.jsx'
import { Loading } from './Loading.jsx'
import { NameField } from './NameField.jsx'
import { ProblemNotice } from './ProblemNotice.jsx'

/** Earlier analyses, newest first. */
export function History({ analyses, route, onChange, onDelete }) {
  const { items, hasMore, showMore, problem, isLoading, reload } = analyses
  const [renamedId, setRenamedId] = useState(null)
  return (
    <section className="history" aria-labelledby="history-title">
      <h2 id="history-title">Earlier analyses</h2>
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      {isLoading && <Loading label="Loading the list" />}
      {!problem && !isLoading && items.length === 0 && (
        <p className="history-empty">None yet. The first photo or clip will be kept here.</p>
      )}
      <ul className="history-list">
        {items.map((item) =>
          item.id === renamedId ? (
            <li key={item.id} className="history-item is-renamed" data-analysis={item.id}>
              <NameField analysis={item} onChange={onChange} onEnd={() => setRenamedId(null)} />
            </li>
          ) : (
            <HistoryItem key={item.id} item={item} route={route} onRename={setRenamedId} onDelete={onDelete} />
          ),
        )}
      </ul>
      {hasMore && (
        <button type="button" className="button" onClick={showMore}>
          Show more
        </button>
      )}
    </section>
  )
}
