import { Command } from 'commander';
import type { Cli } from '../context.js';
import { allVariables, environmentSection } from '../environment.js';
import { oneOf, port } from '../options.js';
import { type ServeRole, serveRoles } from '../services.js';

interface Options {
  readonly role?: readonly ServeRole[];
  readonly port?: number;
}

/** Runs until the signal: a graceful end is a success. */
export const serve = async (cli: Cli, options: Options): Promise<void> => {
  const config = cli.readConfig();
  const services = await cli.openServices({ ...config, port: options.port ?? config.port }, 'serve');
  try {
    await services.serve({ roles: options.role ?? [], signal: cli.signal });
  } finally {
    await services.close();
  }
};

export const serveCommand = (cli: Cli): Command =>
  new Command('serve')
    .description('run the API and all workers, until SIGINT or SIGTERM')
    .option('--role <role>', `only this part (repeatable): ${serveRoles.join(', ')}`, oneOf(serveRoles))
    .option('--port <port>', 'instead of PORT', port)
    .addHelpText('after', environmentSection(allVariables))
    .action((options: Options) => serve(cli, options));
