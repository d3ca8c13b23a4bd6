import './History.css'

import { HistoryItem } from './HistoryItem.jsx'
import { Loading } from './Loading.jsx'
import { ProblemNotice } from './ProblemNotice.jsx'

/** Earlier analyses, newest first. */
export function History({ analyses, openId, onOpen, onDelete }) {
  const { items, hasMore, showMore, problem, isLoading, reload } = analyses
  return (
    <section className="history" aria-labelledby="history-title">
      <h2 id="history-title">Earlier analyses</h2>
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      {isLoading && <Loading label="Loading the list" />}
      {!problem && !isLoading && items.length === 0 && (
        <p className="history-empty">None yet. The first photo will be kept here.</p>
      )}
      <ul className="history-list">
        {items.map((item) => (
          <HistoryItem key={item.id} item={item} isOpen={item.id === openId} onOpen={onOpen} onDelete={onDelete} />
        ))}
      </ul>
      {hasMore && (
        <button type="button" className="button" onClick={showMore}>
          Show more
        </button>
      )}
    </section>
  )
}
