const PROBE_TIMEOUT_MS = 2000;

/**
 * GET /health: {"status", "mongo", "pose", "queue", "details": {mongo: {milliseconds, reason?}, pose: {…}}};
 * queue is {waiting, running}, null while Mongo is away.
 * mongo is ok | down, pose ok | starting | failed | down. 200 while Mongo answers (status degraded
 * without pose: what is stored can still be read), 503 when it does not.
 */
export function readHealth({ database, queue, pose, logger }) {
  let lastStatus = null;
  return async function handleHealth(_request, response) {
    const [mongo, estimate] = await Promise.all([
      probe(() => readMongo(database, queue)),
      probe((signal) => readPose(pose, signal)),
    ]);
    const status = mongo.state === 'ok' && estimate.state === 'ok' ? 'ok' : 'degraded';
    const states = { mongo: mongo.state, pose: estimate.state };
    const health = { status, ...states, queue: mongo.queue ?? null, details: describe(mongo, estimate) };
    const line = `${health.mongo}/${health.pose}`;
    if (line !== lastStatus) logger.info(health, 'health changed');
    lastStatus = line;
    response
      .status(mongo.state === 'ok' ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json(health);
  };
}

async function readMongo(database, queue) {
  await database.ping();
  return { state: database.isReady ? 'ok' : 'starting', queue: await queue.count() };
}

async function readPose(pose, signal) {
  const { status, reason, engine, device } = await pose.readHealth(signal);
  return {
    state: ['ready', 'degraded'].includes(status) ? 'ok' : (status ?? 'failed'),
    reason,
    engine,
    device,
  };
}

async function probe(ask) {
  const started = performance.now();
  const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
  const finding = await Promise.race([ask(signal), expire(signal)]).catch((error) => ({
    state: 'down',
    reason: error.cause?.code ?? error.message,
  }));
  return { ...finding, milliseconds: Math.round(performance.now() - started) };
}

function expire(signal) {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () =>
      reject(new Error(`no answer within ${PROBE_TIMEOUT_MS / 1000} s`)),
    );
  });
}

function describe({ state: _mongo, queue: _queue, ...mongo }, { state: _pose, ...pose }) {
  return { mongo, pose };
}
