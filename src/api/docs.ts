import { Router } from 'express';
import swaggerUi from 'swagger-ui-express';
import { type ApiInfo, openApiOf } from './openapi.js';
import { problems } from './problem.js';
import type { Route } from './route.js';

const errorList = (): string => {
  const items = Object.entries(problems).map(
    ([code, { status, title }]) => `<dt id="${code}"><code>${code}</code></dt><dd>${status} ${title}</dd>`,
  );
  return `<!doctype html><html lang="en"><title>Errors</title><h1>Errors</h1><dl>${items.join('')}</dl></html>`;
};

/** /openapi.json, Swagger UI over it at /docs (its files come from here, not from a CDN), and the list of errors. */
export const docsRouter = (routes: readonly Route[], info: ApiInfo): Router => {
  const router = Router();
  const document = JSON.stringify(openApiOf(routes, info));
  const errors = errorList();
  router.get('/openapi.json', (_req, res) => {
    res.type('application/json').send(document);
  });
  router.get('/docs/errors', (_req, res) => {
    res.type('html').send(errors);
  });
  const setup = swaggerUi.setup(undefined, {
    customSiteTitle: 'Stealth Recovery API',
    swaggerOptions: { url: '/openapi.json', persistAuthorization: false },
  });
  router.use('/docs', swaggerUi.serve, setup);
  return router;
};
