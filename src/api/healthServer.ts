import type { RequestListener } from 'node:http';
import type { Logger } from '../kernel/logger.js';
import type { Dependencies } from './dependencies.js';
import { readinessAnswer } from './routes/health.js';
import { createHttpServer, type HttpServer } from './server.js';

export interface HealthServerOptions {
  readonly logger: Logger;
  readonly readiness: Dependencies['readiness'];
}

interface Answer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

const DRAIN_MS = 500;

const answerTo = async (path: string, { readiness }: HealthServerOptions): Promise<Answer> => {
  if (path === '/healthz') return { status: 200, body: { status: 'ok' } };
  if (path === '/readyz') return readinessAnswer(await readiness());
  return { status: 404, body: { status: 'not_found' } };
};

/** /healthz and /readyz of a process without the API, in the API's words. */
export const createHealthServer = (options: HealthServerOptions): HttpServer => {
  const listener: RequestListener = (req, res) => {
    req.resume();
    answerTo(new URL(req.url ?? '/', 'http://health').pathname, options).then(
      ({ status, body, headers }) => {
        res.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
      },
      (err: unknown) => {
        options.logger.error({ err }, 'readiness cannot be told');
        res.writeHead(500).end();
      },
    );
  };
  return createHttpServer(listener, { logger: options.logger, drainMs: DRAIN_MS });
};
