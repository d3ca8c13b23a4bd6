import express from 'express';
import helmet from 'helmet';
import { createRouter } from '../api/routes.js';
import { describeOutage } from './store/database.js';
import { refuseOtherHosts } from './http/hosts.js';
import { allowOrigins, refuseOtherSites } from './http/origins.js';
import { answerProblems, refuseUnknownPath } from './http/problem-answer.js';
import { answerInOrder } from './http/pipelining.js';
import { limitRates } from './http/rate-limits.js';
import { nameRequest } from './http/request-id.js';
import { logRequests } from './http/request-log.js';
import { takeTurns } from './http/turns.js';

/**
 * The Express application over its services; it opens nothing by itself.
 *
 * @param {object} services  as of createServices
 */
export function createApplication(services) {
  const { settings, logger } = services;
  const application = express();
  application.disable('x-powered-by');
  application.set('trust proxy', settings.trustedProxies);
  application.use(answerInOrder(), nameRequest, logRequests(logger), forbidSniffing, harden(settings));
  application.use(refuseOtherHosts(settings.allowedHosts));
  application.use(allowOrigins(settings.corsOrigins), refuseOtherSites(settings.corsOrigins));
  application.use(...limitRates(settings), takeTurns(), createRouter(services), refuseUnknownPath);
  application.use(answerProblems(logger, describeOutage));
  return application;
}

function harden({ corsOrigins }) {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    // The API speaks HTTP; what puts TLS in front of it says whether that lasts.
    strictTransportSecurity: false,
    // Pictures are embedded by the pages that may read them.
    crossOriginResourcePolicy: { policy: corsOrigins.length > 0 ? 'cross-origin' : 'same-origin' },
  });
}

function forbidSniffing(_request, response, next) {
  response.set('X-Content-Type-Options', 'nosniff');
  next();
}
