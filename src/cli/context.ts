import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Config } from '../config.js';
import { CliError } from './failure.js';
import type { Io } from './io.js';
import type { CliServices, OpenServices } from './services.js';

/** What every command is given. */
export interface Cli {
  readonly io: Io;
  readonly readConfig: () => Config;
  readonly openServices: OpenServices;
  /** Aborts at SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

const TIDY_MS = 5_000;

/** The operator stopped the command before it was done. */
export class Interrupted extends CliError {
  constructor() {
    super('interrupted', 'Stopped before it was done.');
    this.name = 'Interrupted';
  }
}

const untilAborted = (
  signal: AbortSignal,
): { readonly promise: Promise<never>; readonly forget: () => void } => {
  let abort: () => void = () => undefined;
  const promise = new Promise<never>((_resolve, reject) => {
    abort = () => reject(new Interrupted());
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
  });
  promise.catch(() => undefined);
  return { promise, forget: () => signal.removeEventListener('abort', abort) };
};

/**
 * Opens what the command needs and closes it again, whatever happens. The work is told of an interruption by
 * cli.signal and has a few seconds to tidy up; what does not listen to it is left behind.
 * @param interrupted what Ctrl-C means: it `fails` the command, or is how it `ends`
 */
export const withServices = async (
  cli: Cli,
  work: (services: CliServices) => Promise<void>,
  interrupted: 'fails' | 'ends' = 'fails',
): Promise<void> => {
  const services = await cli.openServices(cli.readConfig(), 'operate');
  const interruption = untilAborted(cli.signal);
  const running = work(services);
  try {
    await Promise.race([running, interruption.promise]);
  } catch (error) {
    // What listens to the signal tidies up now, e.g. a rebuild its shadow table.
    await Promise.race([running.catch(() => undefined), sleep(TIDY_MS, undefined, { ref: false })]);
    if (!(error instanceof Interrupted && interrupted === 'ends')) throw error;
  } finally {
    interruption.forget();
    await services.close();
  }
};

/** `recovery projections rebuild` */
export const pathOf = (command: Command): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
