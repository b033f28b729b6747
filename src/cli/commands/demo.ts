import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { type Config, readConfig } from '../../config.js';
import type { Cli } from '../context.js';
import { environmentSection } from '../environment.js';
import { portTaken, withoutData } from '../failure.js';
import { OutputClosed } from '../io.js';
import { port } from '../options.js';
import type { CliServices } from '../services.js';

interface Options {
  readonly exit?: true;
  readonly port?: number;
}

const WIDTH = 100;

/**
 * The demo turns its clock forward: it must never meet real payments, mail servers or accounts. So it has a data
 * directory and a Postgres of its own, keeps its mails, and takes nothing else from the environment.
 */
const demoConfig = (config: Config, wantedPort: number | undefined): Config => ({
  ...readConfig({}),
  port: wantedPort ?? config.port,
  host: config.host,
  dataDir: join(config.dataDir, 'demo'),
  logLevel: config.logLevel,
});

const introduction = ({ dataDir }: Config): string =>
  [
    'Stealth Recovery demo: starts everything in this one process.',
    '',
    `  Postgres    embedded, its data under ${resolve(dataDir)}`,
    '  API         with OpenAPI document, customer pages and a mail catcher',
    '  workers     projector, recovery saga, scheduler',
  ].join('\n');

const show = async (cli: Cli, services: CliServices, options: Options): Promise<void> => {
  const readerGone = new AbortController();
  const write = (text: string): void =>
    void cli.io.print(text).catch((error: unknown) => readerGone.abort(error));
  try {
    await services.demo({
      exit: options.exit === true,
      json: cli.io.json,
      signal: AbortSignal.any([cli.signal, readerGone.signal]),
      interactive: cli.io.interactive,
      columns: () => process.stdout.columns ?? WIDTH,
      write,
    });
  } finally {
    await services.close();
  }
  if (readerGone.signal.reason instanceof OutputClosed) throw readerGone.signal.reason;
};

export const demo = async (cli: Cli, options: Options): Promise<void> => {
  const config = demoConfig(cli.readConfig(), options.port);
  if (!cli.io.json) await cli.io.print(introduction(config));
  try {
    await show(cli, await cli.openServices(config, 'demo'), options);
  } catch (error) {
    throw withoutData(portTaken(error, config.port, 'npm run demo --'));
  }
};

export const demoCommand = (cli: Cli): Command =>
  new Command('demo')
    .description('show the main job with made-up payments, then serve until Ctrl-C')
    .option('--exit', 'end after the show instead')
    .option('--port <port>', 'instead of PORT; 0 takes any free one', port)
    .addHelpText('after', environmentSection(['PORT', 'HOST', 'DATA_DIR', 'LOG_LEVEL']))
    .action((options: Options) => demo(cli, options));
