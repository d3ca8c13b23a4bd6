import express from 'express';
import { createRouter } from '../api/routes.js';
import { isDatabaseDown } from './database.js';
import { answerProblems, refuseUnknownPath } from './problem-answer.js';
import { logRequests } from './request-log.js';

/**
 * The Express application over its services; it opens nothing by itself.
 *
 * @param {{settings: object, logger: import('pino').Logger, storage: import('./storage.js').Storage,
 *   pose: import('./pose-client.js').PoseClient, progress: import('./progress.js').Progress,
 *   estimator: import('./estimator.js').Estimator}} services
 */
export function createApplication(services) {
  const application = express();
  application.disable('x-powered-by');
  application.use(logRequests(services.logger), forbidSniffing, createRouter(services), refuseUnknownPath);
  application.use(answerProblems(services.logger, isDatabaseDown));
  return application;
}

function forbidSniffing(_request, response, next) {
  response.set('X-Content-Type-Options', 'nosniff');
  next();
}
