import {
  MongoClient,
  MongoClientClosedError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
  MongoUnexpectedServerResponseError,
  MongoWriteConcernError,
} from 'mongodb';

const UNREACHABLE = [
  MongoClientClosedError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
  MongoUnexpectedServerResponseError,
  MongoWriteConcernError,
];
const AWAY_CODES = new Set([
  // Unauthorized and AuthenticationFailed: the server is there and will not let us in.
  ...[13, 18],
  // It is on its way down: ShutdownInProgress, PrimarySteppedDown, InterruptedAtShutdown and others like them.
  ...[91, 189, 10107, 11600, 11602, 13435, 13436],
  // Its own network, and a disk that is full: FileStreamFailed, OutOfDiskSpace.
  ...[6, 7, 39, 89, 9001, 14031],
]);
// The driver passes errors of a socket on as they are when they come while it writes.
const SOCKET_CODES = new Set([
  ...['ECONNABORTED', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ERR_STREAM_DESTROYED'],
  ...['EAI_AGAIN', 'EHOSTUNREACH', 'ENETDOWN', 'ENETUNREACH', 'ENOTFOUND'],
]);
const DUPLICATE_KEY = 11000;

/** The connection, and the collections by their names in the code. */
export class Database {
  /** @param {{mongoUrl: string, mongoDatabase: string}} settings  nothing is opened before the first use */
  constructor({ mongoUrl, mongoDatabase }) {
    this.client = createClient(mongoUrl, 20);
    this.db = this.client.db(mongoDatabase);
    this.files = this.db.collection('media.files');
    this.chunks = this.db.collection('media.chunks');
    this.frames = this.db.collection('frames');
    this.thumbnails = this.db.collection('thumbnails');
    this.pictures = this.db.collection('pictures');
    this.ownClient = createClient(mongoUrl, 5);
    this.ownDb = this.ownClient.db(mongoDatabase);
    /** Collections on connections that no request takes: health and the queue go on beside any crowd. */
    this.own = { files: this.ownDb.collection('media.files') };
    this.isReady = false;
  }

  /** Open the connection; after that the driver finds back to a server that was away by itself. */
  async connect() {
    await Promise.all([this.client.connect(), this.ownClient.connect()]);
  }

  /** Round trip to the server with our credentials. @returns {Promise<void>} */
  async ping() {
    await this.ownDb.command({ ping: 1 });
  }

  /** End all connections; nothing can be asked afterwards. */
  async close() {
    await Promise.all([this.client.close(), this.ownClient.close()]);
  }
}

function createClient(mongoUrl, maxPoolSize) {
  try {
    return openClient(mongoUrl, maxPoolSize);
  } catch {
    // The driver's own words repeat the address, and that holds a password.
    throw new RangeError('MONGO_URL is no address that the driver of MongoDB can use');
  }
}

/** Short waits: a request should hear of a missing database before its sender gives up. */
function openClient(mongoUrl, maxPoolSize) {
  return new MongoClient(mongoUrl, {
    appName: 'backend-api',
    // What was acknowledged is in the journal: it survives a kill -9 of the server.
    writeConcern: { w: 'majority', journal: true },
    serverSelectionTimeoutMS: 1500,
    connectTimeoutMS: 1500,
    waitQueueTimeoutMS: 3000,
    // A frozen server keeps its sockets open: only missed heartbeats tell.
    heartbeatFrequencyMS: 2000,
    socketTimeoutMS: 15_000,
    maxPoolSize,
  });
}

/** Is this error the database being away or refusing us, rather than a fault of ours? Asking again may help. */
export function isDatabaseDown(error) {
  if (UNREACHABLE.some((kind) => error instanceof kind) || isDatabaseBusy(error)) return true;
  // A bulk write wraps whatever ended it, an error of the network too, in one of the server's.
  if (error?.errorResponse instanceof Error) return isDatabaseDown(error.errorResponse);
  if (error instanceof MongoServerError) return AWAY_CODES.has(error.code);
  return SOCKET_CODES.has(error?.code);
}

function isDatabaseBusy(error) {
  return error?.name === 'MongoWaitQueueTimeoutError';
}

/** What to tell about such an error. @returns {string | null} null when it is none */
export function describeOutage(error) {
  if (isDatabaseBusy(error)) return 'Too many requests at a time; try again in a moment.';
  return isDatabaseDown(error) ? 'The database does not answer; try again in a moment.' : null;
}

/** Did a unique index refuse a document? */
export function isDuplicate(error) {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}
