import { mediaUrl } from '../api/analyses.js'
import { describeAge, describeMoment, describePeople } from '../pose/wording.js'

export function HistoryItem({ item, isOpen, onOpen, onDelete }) {
  return (
    <li className={isOpen ? 'history-item is-open' : 'history-item'} data-analysis={item.id}>
      <a
        className="history-link"
        href={`#/analyses/${item.id}`}
        aria-current={isOpen ? 'page' : undefined}
        onClick={() => onOpen(item.id)}
      >
        <img className="history-thumb" src={mediaUrl(item.id)} alt="" loading="lazy" decoding="async" />
        <span className="history-text">
          <span className="history-name">{item.filename}</span>
          <span className="history-facts">
            <time dateTime={item.createdAt} title={describeMoment(item.createdAt)}>
              {describeAge(item.createdAt)}
            </time>
            {' · '}
            {item.status === 'failed' ? 'failed' : describePeople(item.people)}
          </span>
        </span>
      </a>
      <button
        type="button"
        className="history-delete"
        aria-label={`Delete ${item.filename}`}
        title="Delete"
        onClick={() => onDelete(item)}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M3 4.5h10M6.5 4V2.5h3V4M4.5 4.5l.6 9h5.8l.6-9M6.8 7v4M9.2 7v4" />
        </svg>
      </button>
    </li>
  )
}
