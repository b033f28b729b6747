import type { ServerResponse } from 'node:http';
import express, { type Express, type RequestHandler, type Response } from 'express';
import { DomainError } from '../kernel/errors.js';
import type { Dependencies } from './dependencies.js';
import { docsRouter } from './docs.js';
import { errorMiddleware } from './errorMiddleware.js';
import { accessFields, contextOf, createRequestContext } from './requestContext.js';
import { createRouter } from './router.js';
import { allRoutes } from './routes/index.js';
import { securityHeaders } from './securityHeaders.js';

const startRequest =
  (newId: () => string): RequestHandler =>
  (req, res, next) => {
    const context = createRequestContext(req, newId);
    res.locals['context'] = context;
    res.setHeader('X-Request-ID', context.requestId);
    next();
  };

const notFound: RequestHandler = () => {
  throw new DomainError('not_found', 'There is nothing at this path');
};

/** The whole HTTP interface over its dependencies. It listens to nothing yet: see createHttpServer. */
export const createApp = (deps: Dependencies): Express => {
  const app = express();
  for (const feature of ['x-powered-by', 'etag', 'query parser']) app.disable(feature);
  const routes = allRoutes(deps);
  app.use(startRequest(deps.newId));
  const fieldsOf = (res: ServerResponse) => accessFields(contextOf(res as Response), res.statusCode);
  for (const observe of [deps.accessLog, deps.trace]) if (observe) app.use(observe(fieldsOf));
  app.use(securityHeaders(deps));
  app.use(createRouter(routes, deps));
  app.use(docsRouter(routes, deps));
  app.use(notFound);
  app.use(errorMiddleware(deps));
  return app;
};
