import './RiderDrawing.css'

/** A rider as the skeleton that the page draws, in front of mountains. Decoration only. */
export function RiderDrawing() {
  return (
    <svg className="drawing" viewBox="0 0 900 330" preserveAspectRatio="xMidYMax slice" aria-hidden="true">
      <path
        className="drawing-far"
        d="m-300 330 180-150 62 46L82 96l70 74 58-48 96 90 132-158 74 92 44-40 128 132 86-70 330 262Z"
      />
      <path className="drawing-near" d="M-300 330V300C-60 322 190 302 420 252s420-96 780-84v162Z" />
      <path className="drawing-track" d="M560 226C690 192 850 184 1200 186" />
      <g className="drawing-rider">
        <g className="drawing-left">
          <path d="m467 126-38 14-34-11M486 177l-36 11 2 46" />
        </g>
        <g className="drawing-right">
          <path d="m467 126 42 15 29-17M486 177l31 13-5 32" />
        </g>
        <path className="drawing-centre" d="m467 126 19 51M459 99l8 27" />
        <path className="drawing-board" d="M416 242c42 8 92-4 134-30" />
        <circle className="drawing-head" cx="454" cy="87" r="13" />
        {[
          [429, 140],
          [509, 141],
          [450, 188],
          [517, 190],
          [467, 126],
          [486, 177],
        ].map(([cx, cy]) => (
          <circle key={cx} className="drawing-joint" cx={cx} cy={cy} r="4.4" />
        ))}
      </g>
    </svg>
  )
}
