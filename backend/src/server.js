import { createServer } from 'node:http';
import pino from 'pino';
import { createApplication } from './application.js';
import { createServices, startServices } from './services.js';
import { readSettings } from './settings.js';
import { shutDown } from './shutdown.js';
import { watchForDeafness } from './watchdog.js';

// Every module is loaded: from here on an end is no matter of the code (reloader.js).
process.send?.('loaded');

const settings = readSettings(process.env);
const logger = pino({
  level: settings.logLevel,
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (level) => ({ level }) },
});
const services = createServices(settings, logger);
const server = createServer({ requestTimeout: settings.uploadTimeoutMs }, createApplication(services));
const stopping = new AbortController();

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
