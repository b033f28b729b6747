import { CommanderError } from 'commander';
import { ConfigError } from '../config.js';
import { isLogsDiverge } from '../events/compareLogs.js';
import { isRevisionConflict } from '../events/eventStore.js';
import type { ProjectionErrorCode } from '../projections/engine/errors.js';
import { redactMessage } from '../infra/logging/redact.js';
import { isDomainError, isStartRefused } from '../kernel/errors.js';

/** docs/operations.md explains each to the operator. */
export const exitCodes = { ok: 0, failure: 1, usage: 2, refused: 3 } as const;

/** What went wrong, in words that say what to do. */
export interface Failure {
  readonly exitCode: number;
  readonly code: string;
  readonly message: string;
  readonly fix?: string;
  readonly problems?: readonly string[];
}

/** A failure that a command knows how to word. */
export class CliError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly fix?: string,
    readonly exitCode: number = exitCodes.failure,
  ) {
    super(message);
    this.name = 'CliError';
  }
}

/** The command line cannot be understood; says which help to read. */
export class UsageError extends CliError {
  constructor(message: string, command: string) {
    super('usage', message, `Run \`${command} --help\` to see what it takes.`, exitCodes.usage);
    this.name = 'UsageError';
  }
}

const connectionCodes = new Set(['ECONNREFUSED', 'ENOTFOUND', 'ETIMEDOUT', 'EHOSTUNREACH', 'ECONNRESET']);
const missingTable = '42P01';

const codeOf = (error: Error): string | undefined => {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
};

const byCode = (error: Error): Failure => {
  const code = codeOf(error);
  const failure = {
    exitCode: exitCodes.failure,
    code: code ?? 'failure',
    message: error.message || error.name,
  };
  // Node joins the refusals of several addresses under an error without a message.
  if (code !== undefined && connectionCodes.has(code)) {
    const message = error.message === '' ? `The connection failed (${code}).` : error.message;
    return { ...failure, message, fix: 'Is the server up, and DATABASE_URL right? Run `recovery doctor`.' };
  }
  if (code === missingTable) return { ...failure, fix: 'Run `recovery migrate up` first.' };
  return failure;
};

/** The engine's refusals that mean "not now" or "not so", as opposed to a failure on the way. */
const engineRefusals = new Set<string>([
  'rebuild_running',
  'no_previous_generation',
  'version_mismatch',
  'unknown_organization',
] satisfies ProjectionErrorCode[]);

/** Errors whose message is in our own words; undefined for every other. */
const worded = (error: unknown): Failure | undefined => {
  if (error instanceof CliError) {
    const { exitCode, code, message, fix } = error;
    return { exitCode, code, message, ...(fix !== undefined && { fix }) };
  }
  if (error instanceof ConfigError) {
    const { problems } = error;
    const message = 'The configuration cannot be used.';
    return { exitCode: exitCodes.usage, code: 'configuration', message, problems, fix: 'See .env.example.' };
  }
  if (isStartRefused(error)) {
    const message = 'The product does not start like this.';
    return { exitCode: exitCodes.usage, code: 'start_refused', message, problems: error.problems };
  }
  if (error instanceof CommanderError) {
    return { exitCode: exitCodes.usage, code: 'usage', message: error.message.replace(/^error: /, '') };
  }
  if (isDomainError(error)) {
    const refused = error.code !== 'internal' && error.code !== 'unavailable';
    const problems = error.errors.map(({ pointer, detail }) => `${pointer}: ${detail}`);
    const exitCode = refused ? exitCodes.refused : exitCodes.failure;
    return {
      exitCode,
      code: error.code,
      message: error.message,
      ...(problems.length > 0 && { problems }),
      ...(error.code === 'unavailable' && {
        fix: 'Run `recovery doctor`: does the server at EVENTSTORE_URL answer, and is it the right one?',
      }),
    };
  }
  if (isLogsDiverge(error)) {
    const { code, message } = error;
    const fix = 'The target must be empty, or an interrupted copy of this very source.';
    return { exitCode: exitCodes.refused, code, message, fix };
  }
  if (isRevisionConflict(error)) {
    return { exitCode: exitCodes.refused, code: 'version_conflict', message: error.message };
  }
  const code = error instanceof Error ? codeOf(error) : undefined;
  if (code === undefined) return undefined;
  const { name, message } = error as Error;
  if (code === 'sequence_busy') return { exitCode: exitCodes.refused, code, message };
  if (name !== 'ProjectionError') return undefined;
  return { exitCode: engineRefusals.has(code) ? exitCodes.refused : exitCodes.failure, code, message };
};

export const failureOf = (error: unknown): Failure =>
  worded(error) ??
  (error instanceof Error
    ? byCode(error)
    : { exitCode: exitCodes.failure, code: 'failure', message: String(error) });

/** For a process whose stderr is kept like its log: the words of a database or a library may quote data. */
export const withoutData = (error: unknown): unknown => {
  if (worded(error) !== undefined) return error;
  const { code, message, fix } = failureOf(error);
  return new CliError(code, redactMessage(message), fix);
};

export const portTaken = (error: unknown, apiPort: number, example: string): unknown => {
  const { code, port = apiPort } = (error ?? {}) as NodeJS.ErrnoException & { readonly port?: number };
  if (code !== 'EADDRINUSE') return error;
  const option = port === apiPort ? '--port' : '--health-port';
  const instead = `${option} ${port < 65_535 ? port + 1 : 8000}`;
  return new CliError(
    'port_taken',
    `Port ${port} is in use.`,
    `Choose another: \`${example} ${instead}\`, or 0 for any free one.`,
  );
};
