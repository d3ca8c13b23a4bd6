/**
 * Settings of the API, read once from the environment.
 *
 * @param {Record<string, string | undefined>} env  an empty value counts as unset (Compose passes those)
 * @returns {Readonly<{port: number, mongoUrl: string, mongoDatabase: string, poseUrl: string,
 *   poseTimeoutMs: number, poseConcurrency: number, maxUploadBytes: number, logLevel: string}>}
 * @throws {RangeError} naming the variable, what it holds and what it should hold
 */
export function readSettings(env) {
  return Object.freeze({
    port: readInteger(env, 'PORT', { fallback: 3001, min: 0, max: 65535 }),
    mongoUrl: readUrl(env, 'MONGO_URL', 'mongodb://127.0.0.1:27017', ['mongodb:', 'mongodb+srv:']),
    mongoDatabase: env.MONGO_DATABASE || 'snowboarding',
    poseUrl: readUrl(env, 'POSE_URL', 'http://pose-service:5000', ['http:', 'https:']).replace(/\/+$/, ''),
    // fetch itself gives up after 300 s without an answer.
    poseTimeoutMs: readInteger(env, 'POSE_TIMEOUT_MS', { fallback: 30_000, min: 1, max: 290_000 }),
    poseConcurrency: readInteger(env, 'POSE_CONCURRENCY', { fallback: 4, min: 1, max: 64 }),
    maxUploadBytes: readInteger(env, 'MAX_UPLOAD_MB', { fallback: 32, min: 1, max: 1024 }) * 1024 * 1024,
    logLevel: env.LOG_LEVEL || 'info',
  });
}

function readInteger(env, name, { fallback, min, max }) {
  const text = env[name] || String(fallback);
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(`${name}=${text} is not a whole number from ${min} to ${max}`);
}

function readUrl(env, name, fallback, schemes) {
  const text = env[name] || fallback;
  if (schemes.some((scheme) => text.startsWith(`${scheme}//`))) return text;
  // The value itself may hold a password.
  throw new RangeError(`${name} does not start with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`);
}
