/** Paths that are asked by machines all the time: never limited, and not logged one by one. */
export const PROBE_PATHS = new Set(['/live', '/health', '/api/health']);
