/** A small picture of an analysis; a clip without one shows its own first frame. Always the same size. */
export function HistoryThumb({ item }) {
  const { thumbnail } = item.links
  if (!thumbnail && item.kind === 'clip') {
    return <video className="history-thumb" src={item.links.media} preload="metadata" muted tabIndex={-1} aria-hidden />
  }
  if (!thumbnail) return <span className="history-thumb" />
  return <img className="history-thumb" src={thumbnail} alt="" loading="lazy" decoding="async" />
}
