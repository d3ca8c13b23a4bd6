import { readChoice, readHosts, readInteger, readName, readOrigins, readUrl } from './setting.js';

const MB = 1024 * 1024;
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/**
 * Settings of the API, read once from the environment; README.md lists every variable.
 *
 * @param {Record<string, string | undefined>} env  an empty value counts as unset (Compose passes those)
 * @returns {Readonly<object>} times in milliseconds, sizes in bytes
 * @throws {RangeError} naming the variable, what it holds and what it should hold
 */
export function readSettings(env) {
  return Object.freeze({
    port: readInteger(env, 'PORT', { fallback: 3001, min: 0, max: 65535 }),
    mongoUrl: readUrl(env, 'MONGO_URL', 'mongodb://127.0.0.1:27017', ['mongodb:', 'mongodb+srv:']),
    mongoDatabase: readName(env, 'MONGO_DATABASE', 'snowboarding'),
    deafMs: readInteger(env, 'DEAF_SECONDS', { fallback: 12, min: 0, max: 600 }) * 1000,
    logLevel: readChoice(env, 'LOG_LEVEL', 'info', LOG_LEVELS),
    ...readPoseSettings(env),
    ...readUploadSettings(env),
    ...readQueueSettings(env),
    ...readDoorSettings(env),
  });
}

function readPoseSettings(env) {
  return {
    poseUrl: readUrl(env, 'POSE_URL', 'http://pose-service:5000', ['http:', 'https:']).replace(/\/+$/, ''),
    poseTimeoutMs: readInteger(env, 'POSE_TIMEOUT_MS', { fallback: 30_000, min: 1, max: 600_000 }),
    poseStallMs: readInteger(env, 'POSE_STALL_MS', { fallback: 60_000, min: 1, max: 600_000 }),
    poseConcurrency: readInteger(env, 'POSE_CONCURRENCY', { fallback: 2, min: 1, max: 64 }),
  };
}

function readUploadSettings(env) {
  return {
    maxPhotoBytes: readInteger(env, 'MAX_UPLOAD_MB', { fallback: 32, min: 1, max: 1024 }) * MB,
    maxClipBytes: readInteger(env, 'MAX_CLIP_MB', { fallback: 200, min: 1, max: 4096 }) * MB,
    uploadTimeoutMs: readInteger(env, 'UPLOAD_SECONDS', { fallback: 900, min: 1, max: 3500 }) * 1000,
  };
}

function readQueueSettings(env) {
  return {
    leaseMs: readInteger(env, 'LEASE_SECONDS', { fallback: 15, min: 1, max: 600 }) * 1000,
    maxAttempts: readInteger(env, 'MAX_ATTEMPTS', { fallback: 3, min: 1, max: 100 }),
    maxPoseAwayMs: readInteger(env, 'MAX_POSE_AWAY_SECONDS', { fallback: 3600, min: 1, max: 604_800 }) * 1000,
    undoMs: readInteger(env, 'DELETE_UNDO_SECONDS', { fallback: 600, min: 0, max: 604_800 }) * 1000,
  };
}

function readDoorSettings(env) {
  return {
    allowedHosts: readHosts(env, 'ALLOWED_HOSTS'),
    corsOrigins: readOrigins(env, 'CORS_ORIGINS'),
    requestsPerMinute: readInteger(env, 'REQUESTS_PER_MINUTE', { fallback: 6000, min: 0, max: 10_000_000 }),
    uploadsPerMinute: readInteger(env, 'UPLOADS_PER_MINUTE', { fallback: 120, min: 0, max: 10_000_000 }),
    streamsPerClient: readInteger(env, 'STREAMS_PER_CLIENT', { fallback: 100, min: 0, max: 100_000 }),
    trustedProxies: readInteger(env, 'TRUSTED_PROXIES', { fallback: 0, min: 0, max: 10 }),
  };
}
