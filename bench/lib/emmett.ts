/**
 * The comparison with @event-driven-io/emmett-postgresql. Its packages are no dependencies of the product: they are
 * installed into bench/emmett when they are needed, and the comparison is left out when that fails.
 */
import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';

export interface EmmettEvent {
  readonly type: string;
  readonly data: unknown;
  readonly metadata?: unknown;
}

/** The parts of emmett's interface that are used here. */
export interface EmmettStore {
  appendToStream(
    stream: string,
    events: readonly EmmettEvent[],
    options?: { readonly expectedStreamVersion: bigint | 'STREAM_DOES_NOT_EXIST' },
  ): Promise<unknown>;
  readonly schema: { migrate(): Promise<unknown> };
  close(): Promise<void>;
}

export interface EmmettModule {
  getPostgreSQLEventStore(url: string, options?: object): EmmettStore;
  pongoSingleStreamProjection(options: object): object;
  rebuildPostgreSQLProjections(options: object): { start(): Promise<unknown>; close(): Promise<unknown> };
}

export interface Emmett {
  readonly module: EmmettModule;
  /** A store with its tables made, and so many connections. */
  open(url: string, connections: number): Promise<EmmettStore>;
}

/** npm does not install through a link. */
const DIRECTORY = realpathSync(fileURLToPath(new URL('../emmett', import.meta.url)));
const PACKAGE = '@event-driven-io/emmett-postgresql';

const install = async (note: (text: string) => void): Promise<void> => {
  if (existsSync(join(DIRECTORY, 'node_modules', PACKAGE))) return;
  note('installing the packages of the comparison with emmett into bench/emmett');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const args = ['ci', '--prefix', DIRECTORY, '--ignore-scripts', '--no-audit', '--no-fund'];
  await promisify(execFile)(npm, args, { timeout: 120_000 });
};

const load = async (): Promise<Emmett> => {
  const resolved = createRequire(join(DIRECTORY, 'package.json')).resolve(PACKAGE);
  const entry = resolved.replace(/\.cjs$/, '.js');
  const module = (await import(pathToFileURL(entry).href)) as EmmettModule;
  return {
    module,
    open: async (url, connections) => {
      const pool = new pg.Pool({ connectionString: url, max: connections });
      const store = module.getPostgreSQLEventStore(url, { connectionOptions: { pool } });
      await store.schema.migrate();
      const close = (): Promise<void> => store.close().finally(() => pool.end());
      return { appendToStream: store.appendToStream.bind(store), schema: store.schema, close };
    },
  };
};

let loading: Promise<Emmett | undefined> | undefined;

/** Undefined, with a note that says why, when emmett cannot be had here. */
export const loadEmmett = (note: (text: string) => void): Promise<Emmett | undefined> =>
  (loading ??= install(note)
    .then(load)
    .catch((error: unknown) => {
      const [reason] = String(error instanceof Error ? error.message : error).split('\n');
      note(`SKIPPED: the comparison with emmett, whose packages cannot be had (${reason})`);
      return undefined;
    }));
