import {
  MongoClient,
  MongoClientClosedError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
} from 'mongodb';

const UNREACHABLE = [
  MongoClientClosedError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
];
// Unauthorized and AuthenticationFailed: the server is there and will not let us in.
const REFUSED_CODES = new Set([13, 18]);

/**
 * A client that connects on first use and again after every loss; nothing is opened here.
 * Short waits: a request should hear of a missing database before its sender gives up.
 *
 * @param {{mongoUrl: string}} settings
 */
export function createClient({ mongoUrl }) {
  return new MongoClient(mongoUrl, {
    appName: 'backend-api',
    serverSelectionTimeoutMS: 1500,
    connectTimeoutMS: 1500,
    // A frozen server keeps its sockets open: only missed heartbeats tell.
    heartbeatFrequencyMS: 2000,
    socketTimeoutMS: 15_000,
    maxPoolSize: 20,
  });
}

/** Is this error the database being away or refusing us, rather than a fault of ours? */
export function isDatabaseDown(error) {
  if (error instanceof MongoServerError) return REFUSED_CODES.has(error.code);
  return UNREACHABLE.some((kind) => error instanceof kind);
}
