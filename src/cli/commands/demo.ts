import { Command } from 'commander';
import type { Cli } from '../context.js';
import { databaseVariables, environmentSection } from '../environment.js';
import { OutputClosed } from '../io.js';
import { port } from '../options.js';

interface Options {
  readonly exit?: true;
  readonly port?: number;
}

export const demo = async (cli: Cli, options: Options): Promise<void> => {
  const config = cli.readConfig();
  const services = await cli.openServices({ ...config, port: options.port ?? config.port }, 'demo');
  const readerGone = new AbortController();
  const write = (text: string): void =>
    void cli.io.print(text).catch((error: unknown) => readerGone.abort(error));
  try {
    await services.demo({
      exit: options.exit === true,
      signal: AbortSignal.any([cli.signal, readerGone.signal]),
      interactive: cli.io.interactive,
      write,
    });
  } finally {
    await services.close();
  }
  if (readerGone.signal.reason instanceof OutputClosed) throw readerGone.signal.reason;
};

export const demoCommand = (cli: Cli): Command =>
  new Command('demo')
    .description('show the main job with made-up payments, then serve until Ctrl-C')
    .option('--exit', 'end after the show instead')
    .option('--port <port>', 'instead of PORT', port)
    .addHelpText('after', environmentSection(['PORT', ...databaseVariables]))
    .action((options: Options) => demo(cli, options));
