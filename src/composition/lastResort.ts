import type { Logger } from 'pino';
import type { ErrorReporting } from '../infra/sentry/errorReporting.js';

/** What nobody caught: one line without data, one report, and the end of a process whose state is not known any more. */
export const endAtUncaught = (logger: Logger, reporting: ErrorReporting | undefined): void => {
  const end = (error: unknown): void => {
    process.off('uncaughtException', end).off('unhandledRejection', end);
    process.on('uncaughtException', () => undefined).on('unhandledRejection', () => undefined);
    logger.fatal({ err: error }, 'uncaught error');
    reporting?.captureError(error, { component: 'process' });
    void Promise.resolve(reporting?.close()).finally(() => process.exit(1));
  };
  process.on('uncaughtException', end).on('unhandledRejection', end);
};
