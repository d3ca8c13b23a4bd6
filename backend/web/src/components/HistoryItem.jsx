import { describeAge, describeOutcome, titleOf } from '../pose/wording.js'
import { HistoryThumb } from './HistoryThumb.jsx'
import { IconButton } from './IconButton.jsx'

/** One earlier analysis: opens it, and compares, renames or deletes it. */
export function HistoryItem({ item, route, onRename, onDelete }) {
  const isOpen = item.id === route.analysisId
  const canCompare = route.analysisId && !isOpen && item.status === 'done'
  return (
    <li className={isOpen ? 'history-item is-open' : 'history-item'} data-analysis={item.id}>
      <a className="history-link" href={`#/analyses/${item.id}`} aria-current={isOpen ? 'page' : undefined}>
        <HistoryThumb item={item} />
        <span className="history-text">
          <span className="history-name" title={describeAge(item.createdAt)}>
            {titleOf(item)}
          </span>
          <span className="history-facts">
            {describeOutcome(item)} · {item.filename}
          </span>
        </span>
      </a>
      <div className="history-actions">
        {canCompare && (
          <IconButton
            label={`Compare with ${item.name}`}
            title="Compare"
            path="M2.5 3.5h4.5v9H2.5zM9 3.5h4.5v9H9z"
            onClick={() => route.compare(item.id)}
          />
        )}
        <IconButton
          label={`Rename ${item.name}`}
          title="Rename"
          path="M3 13l.7-2.8 6.9-6.9 2.1 2.1-6.9 6.9zM9.3 4.6l2.1 2.1"
          onClick={() => onRename(item.id)}
        />
        <IconButton
          label={`Delete ${item.name}`}
          title="Delete"
          path="M3 4.5h10M6.5 4V2.5h3V4M4.5 4.5l.6 9h5.8l.6-9M6.8 7v4M9.2 7v4"
          onClick={() => onDelete(item)}
        />
      </div>
    </li>
  )
}
