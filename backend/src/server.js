import { createServer } from 'node:http';
import pino from 'pino';
import { createApplication } from './application.js';
import { answerBrokenRequests } from './http/broken-requests.js';
import { createServices, startServices } from './services.js';
import { readSettings } from './ground/settings.js';
import { shutDown } from './process/shutdown.js';
import { watchForDeafness } from './process/watchdog.js';

// Every module is loaded: from here on an end is no matter of the code (reloader.js).
process.send?.('loaded');

const logger = pino({
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (level) => ({ level }) },
});
// The reason of an end is the last line of the log, and one line.
process.on('uncaughtException', ({ message, stack }) => {
  logger.fatal({ cause: message, stack }, 'the API ends');
  process.exit(1);
});

const settings = readSettings(process.env);
logger.level = settings.logLevel;
const services = createServices(settings, logger);
const server = createServer({ requestTimeout: settings.uploadTimeoutMs }, createApplication(services));
const stopping = new AbortController();

answerBrokenRequests(server);
server.on('error', (error) => {
  logger.fatal({ cause: error.message }, 'cannot listen');
  process.exit(1);
});
server.listen(settings.port, '0.0.0.0', () => {
  const { port } = server.address();
  logger.info({ port }, 'listening');
  watchForDeafness({ port, deafMs: settings.deafMs });
});

for (const name of ['SIGTERM', 'SIGINT']) {
  process.once(name, () => {
    logger.info({ signal: name }, 'stopping');
    stopping.abort();
    shutDown(server, services).then(() => process.exit(0));
  });
}

await startServices(services, stopping.signal);
