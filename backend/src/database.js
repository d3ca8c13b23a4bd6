import {
  MongoClient,
  MongoClientClosedError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
} from 'mongodb';

const UNREACHABLE = [
  MongoClientClosedError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
];
// Unauthorized and AuthenticationFailed: the server is there and will not let us in. The others: it is on its way down.
const AWAY_CODES = new Set([13, 18, 91, 189, 11600, 11602]);
const DUPLICATE_KEY = 11000;

/** The connection, and the collections by their names in the code. */
export class Database {
  /** @param {{mongoUrl: string, mongoDatabase: string}} settings  nothing is opened before the first use */
  constructor({ mongoUrl, mongoDatabase }) {
    this.client = createClient(mongoUrl);
    this.db = this.client.db(mongoDatabase);
    this.files = this.db.collection('media.files');
    this.chunks = this.db.collection('media.chunks');
    this.frames = this.db.collection('frames');
    this.thumbnails = this.db.collection('thumbnails');
    this.isReady = false;
  }

  /** Open the connection; after that the driver finds back to a server that was away by itself. */
  async connect() {
    await this.client.connect();
  }

  /** Round trip to the server with our credentials. @returns {Promise<void>} */
  async ping() {
    await this.db.command({ ping: 1 });
  }

  /** End all connections; nothing can be asked afterwards. */
  async close() {
    await this.client.close();
  }
}

/** Short waits: a request should hear of a missing database before its sender gives up. */
function createClient(mongoUrl) {
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
    maxPoolSize: 20,
  });
}

/** Is this error the database being away or refusing us, rather than a fault of ours? */
export function isDatabaseDown(error) {
  if (UNREACHABLE.some((kind) => error instanceof kind)) return true;
  if (error?.name === 'MongoWaitQueueTimeoutError') return true;
  return error instanceof MongoServerError && AWAY_CODES.has(error.code);
}

/** Did a unique index refuse a document? */
export function isDuplicate(error) {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}
