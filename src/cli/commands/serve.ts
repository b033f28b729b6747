import { Command } from 'commander';
import type { Config } from '../../config.js';
import type { Cli } from '../context.js';
import { allVariables, environmentSection } from '../environment.js';
import { portTaken, withoutData } from '../failure.js';
import { oneOf, port } from '../options.js';
import { type ServeRole, serveRoles } from '../services.js';

interface Options {
  readonly role?: readonly ServeRole[];
  readonly port?: number;
  readonly healthPort?: number;
}

const run = async (cli: Cli, config: Config, roles: readonly ServeRole[]): Promise<void> => {
  const services = await cli.openServices(config, 'serve', roles);
  try {
    await services.serve({ roles, signal: cli.signal });
  } finally {
    await services.close();
  }
};

/** Runs until the signal: a graceful end is a success. */
export const serve = async (cli: Cli, { role = [], ...ports }: Options): Promise<void> => {
  const config = { ...cli.readConfig(), ...ports };
  try {
    await run(cli, config, role);
  } catch (error) {
    throw withoutData(portTaken(error, config.port, 'recovery serve'));
  }
};

export const serveCommand = (cli: Cli): Command =>
  new Command('serve')
    .description('run the API and all workers, until SIGINT or SIGTERM')
    .option('--role <role>', `only this part (repeatable): ${serveRoles.join(', ')}`, oneOf(serveRoles))
    .option('--port <port>', 'instead of PORT', port)
    .option('--health-port <port>', 'instead of HEALTH_PORT', port)
    .addHelpText('after', environmentSection(allVariables))
    .action((options: Options) => serve(cli, options));
