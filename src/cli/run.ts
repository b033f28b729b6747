import { CommanderError } from 'commander';
import type { Cli } from './context.js';
import { exitCodes, type Failure, failureOf } from './failure.js';
import { type Io, OutputClosed } from './io.js';
import { toJson } from './output.js';
import { createProgram } from './program.js';

const report = (io: Io, failure: Failure): void => {
  const { exitCode: _exitCode, ...error } = failure;
  if (io.json) return io.note(toJson({ error }));
  io.note(`recovery: ${failure.message}`);
  failure.problems?.forEach((problem) => io.note(`  - ${problem}`));
  if (failure.fix !== undefined) io.note(failure.fix);
};

/** Runs one command line. @returns its exit code */
export const run = async (cli: Cli, version: string, args: readonly string[]): Promise<number> => {
  const printed: string[] = [];
  const program = createProgram(cli, version, (text) => printed.push(text));
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof OutputClosed) return exitCodes.ok;
    if (error instanceof CommanderError && error.exitCode === 0) {
      await cli.io.print(printed.join('').trimEnd()).catch(() => undefined);
      return exitCodes.ok;
    }
    const failure = failureOf(error);
    report(cli.io, failure);
    return failure.exitCode;
  }
};
