import type { IncomingMessage, ServerResponse } from 'node:http';
import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import { type HttpLogger, pinoHttp } from 'pino-http';
import { redact, redactText } from './redact.js';

export interface LoggerConfig {
  readonly logLevel: string;
  readonly environment: string;
}

/** pino formats the fields of a line, but not those a child is made with. */
const redactChildren = (logger: PinoLogger): PinoLogger => {
  const { child } = logger;
  const safe = function (this: PinoLogger, bindings: object, options?: object): PinoLogger {
    return child.call(this, redact(bindings) as object, options) as unknown as PinoLogger;
  };
  return Object.assign(logger, { child: safe });
};

/**
 * JSON lines: `timestamp`, `level` as a word, `app`, `environment`, then the fields. Secrets and personal data are
 * taken out of every line, whoever writes it and whatever the field is called.
 */
export const createLogger = (
  { logLevel, environment }: LoggerConfig,
  destination?: DestinationStream,
): PinoLogger =>
  redactChildren(
    pino(
      {
        level: logLevel,
        base: { app: 'stealth-recovery', environment },
        messageKey: 'message',
        timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
        formatters: {
          level: (label) => ({ level: label }),
          bindings: (bindings) => redact(bindings) as Record<string, unknown>,
          log: (fields) => redact(fields) as Record<string, unknown>,
        },
        // A line without a message of its own would take that of its error, which may quote data.
        hooks: {
          logMethod([first, message, ...rest], method) {
            const text = typeof first === 'string' ? first : message;
            const fields = first instanceof Error ? { err: first } : first;
            const safe = redactText(typeof text === 'string' ? text : 'no message');
            if (typeof first === 'string') method.call(this, safe);
            else method.apply(this, [fields, safe, ...rest] as unknown as Parameters<typeof method>);
          },
        },
        // Errors are made safe by `log`; pino's own serializer would add their raw fields.
        serializers: { err: (value: unknown) => value },
      },
      ...(destination === undefined ? [] : [destination]),
    ),
  );

/** The fields of a finished request's line. */
export type FieldsOf = (res: ServerResponse) => Record<string, unknown>;

/** Probes come every few seconds and say nothing new while all is well. */
const isQuiet = (res: ServerResponse, path: unknown): boolean =>
  res.statusCode < 400 && (path === '/healthz' || path === '/readyz');

/** pino-http makes each request a logger of its own, which nobody writes to and which cost a tenth of a request: all share one. */
const shared = (logger: PinoLogger): PinoLogger => {
  const one = logger.child({});
  return Object.assign(one, { child: () => one });
};

/** One line per request when it is done. Errors are logged where they are handled, with the same request_id. */
export const createAccessLog =
  (logger: PinoLogger) =>
  (fieldsOf: FieldsOf): HttpLogger => {
    const fields = (_req: unknown, res: ServerResponse): Record<string, unknown> => ({
      ...fieldsOf(res),
      ...(!res.writableFinished && { aborted: true }),
    });
    return pinoHttp({
      logger: shared(logger),
      genReqId: (_req, res) => String(res.getHeader('X-Request-ID')),
      customLogLevel: (req: IncomingMessage, res: ServerResponse) => {
        if (isQuiet(res, req.url)) return 'silent';
        return res.statusCode >= 500 ? 'warn' : 'info';
      },
      customSuccessObject: fields,
      customErrorObject: fields,
      customSuccessMessage: () => 'request completed',
      customErrorMessage: () => 'request completed',
    });
  };
