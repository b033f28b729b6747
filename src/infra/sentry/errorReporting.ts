import type * as Sentry from '@sentry/node';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { scrubError, scrubTransaction } from './scrub.js';

export interface ErrorReportingConfig {
  readonly sentryDsn: string | undefined;
  readonly sentryTracesSampleRate: number;
  /** Of the traces, how many are profiled. */
  readonly sentryProfilesSampleRate: number;
  readonly environment: string;
  readonly release?: string;
}

/** What is told of where an error happened: nothing personal. */
export interface ErrorScene {
  readonly requestId?: string;
  readonly method?: string;
  readonly path?: string;
  readonly component?: string;
}

type Integration = ReturnType<typeof Sentry.dedupeIntegration>;

interface Profiler {
  nodeProfilingIntegration(): Integration;
}

type Middleware = (req: IncomingMessage, res: ServerResponse, next: () => void) => void;

export interface ErrorReporting {
  captureError(error: unknown, scene?: ErrorScene): void;
  /** A trace per request, sampled. @param fieldsOf the fields of the request's log line */
  trace(fieldsOf: (res: ServerResponse) => Record<string, unknown>): Middleware;
  /** Sends what is waiting. */
  close(timeoutMs?: number): Promise<void>;
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

const tagsOf = ({ requestId, method, path, component }: ErrorScene): Record<string, string> =>
  Object.fromEntries(
    Object.entries({ request_id: requestId, method, path, component }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );

/** The profiler is a native module of its own, which the operator installs beside this; without it none is made. */
const profiling = async (): Promise<Integration[]> => {
  const name = '@sentry/profiling-node';
  const found = await (import(name) as Promise<Profiler>).catch(() => undefined);
  return found === undefined ? [] : [found.nodeProfilingIntegration()];
};

const tracer =
  ({ startSpanManual }: Pick<typeof Sentry, 'startSpanManual'>): ErrorReporting['trace'] =>
  (fieldsOf) =>
  (_req, res, next) => {
    const { method, path } = fieldsOf(res);
    const route = String(path).replaceAll(UUID, '{id}');
    const options = { name: `${String(method)} ${route}`, op: 'http.server', forceTransaction: true };
    startSpanManual(options, (span) => {
      res.once('close', () => {
        const { request_id, status_code } = fieldsOf(res);
        span.setAttributes({
          'http.request.method': String(method),
          'http.route': route,
          'http.response.status_code': Number(status_code),
          request_id: String(request_id),
        });
        span.end();
      });
      next();
    });
  };

/**
 * Reports errors of routes, workers and the database, errors that nobody caught (composition/lastResort.ts), and
 * traces, to Sentry. Without a DSN nothing is loaded and nothing is sent. Sentry's own instrumentation is left out: it
 * collects requests, queries and variables, which may hold personal data, and prints errors as they are; what is left
 * goes through scrub.ts.
 */
export const startErrorReporting = async (
  config: ErrorReportingConfig,
): Promise<ErrorReporting | undefined> => {
  const { sentryDsn: dsn, sentryTracesSampleRate: tracesSampleRate, environment, release } = config;
  const { sentryProfilesSampleRate: profileSessionSampleRate } = config;
  if (dsn === undefined) return undefined;
  const sentry = await import('@sentry/node');
  sentry.init({
    dsn,
    environment,
    ...(release !== undefined && { release }),
    tracesSampleRate,
    profileSessionSampleRate,
    profileLifecycle: 'trace',
    traceLifecycle: 'static',
    defaultIntegrations: false,
    integrations: [
      sentry.eventFiltersIntegration(),
      sentry.linkedErrorsIntegration(),
      sentry.dedupeIntegration(),
      ...(profileSessionSampleRate > 0 ? await profiling() : []),
    ],
    dataCollection: {
      userInfo: false,
      cookies: false,
      httpHeaders: false,
      httpBodies: [],
      urlQueryParams: false,
    },
    maxBreadcrumbs: 0,
    sendClientReports: false,
    tracePropagationTargets: [],
    beforeSend: scrubError,
    beforeSendTransaction: scrubTransaction,
  });
  return {
    captureError: (error, scene = {}) => {
      sentry.captureException(error, { tags: tagsOf(scene) });
    },
    trace: tracer(sentry),
    close: async (timeoutMs = 2000) => {
      await sentry.close(timeoutMs);
    },
  };
};
