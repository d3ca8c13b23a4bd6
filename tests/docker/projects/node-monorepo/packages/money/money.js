/** Cents as people write them. */
export const written = (cents) => `€ ${(cents / 100).toFixed(2)}`
