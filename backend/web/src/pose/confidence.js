// From unsure to sure; told apart by lightness too, for eyes that do not see all colours.
const STOPS = [
  [0, [141, 61, 175]],
  [0.5, [255, 176, 46]],
  [1, [190, 255, 208]],
]

/** Colour of a joint by its confidence, 0-1. */
export function colourOf(confidence) {
  const next = Math.max(
    1,
    STOPS.findIndex(([place]) => place >= Math.min(1, Math.max(0, confidence))),
  )
  const [[low, from], [high, to]] = [STOPS[next - 1], STOPS[next]]
  const share = Math.min(1, Math.max(0, (confidence - low) / (high - low)))
  return `rgb(${from.map((value, channel) => Math.round(value + (to[channel] - value) * share)).join(' ')})`
}

/** The same scale as a CSS gradient, for the legend. */
export const SCALE = `linear-gradient(90deg, ${STOPS.map(([place]) => `${colourOf(place)} ${place * 100}%`).join(', ')})`
