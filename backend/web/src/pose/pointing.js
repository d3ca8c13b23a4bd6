const NONE = []

/**
 * Handlers of a row that lights up the joints of its measure: while a mouse is over it, or since a finger touched it,
 * which has no other way to stay.
 */
export function pointing({ points = NONE }, onPoint) {
  return {
    onPointerEnter: () => onPoint(points),
    onPointerLeave: ({ pointerType }) => pointerType !== 'touch' && onPoint(NONE),
  }
}
