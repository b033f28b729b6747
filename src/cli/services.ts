/** What the commands need of the running system: main.ts puts it together, the tests fake it. */
import type { Config } from '../config.js';
import type { EventStore } from '../events/eventStore.js';
import type { Instant } from '../kernel/clock.js';
import type { Db } from '../kernel/db.js';
import type { ParkedMessages } from '../infra/bus/parkedMessages.js';
import type { ProjectionEngine } from '../projections/engine/engine.js';

export const serveRoles = ['api', 'projector', 'relay', 'saga', 'scheduler'] as const;
export type ServeRole = (typeof serveRoles)[number];

export interface MigrationStatus {
  readonly applied: readonly string[];
  readonly pending: readonly string[];
  /** Applied by a newer version of the code: this one does not know them. */
  readonly unknown: readonly string[];
}

export interface Migrations {
  up(steps?: number): Promise<readonly string[]>;
  down(steps?: number): Promise<readonly string[]>;
  status(): Promise<MigrationStatus>;
}

/** The engine itself does. */
export type ProjectionAdmin = Pick<
  ProjectionEngine,
  'list' | 'status' | 'rebuild' | 'rollback' | 'pause' | 'resume'
>;

/** Messages that could not be handled. */
export type ParkedAdmin = Pick<ParkedMessages, 'list' | 'messages' | 'retry' | 'discard'>;

/** Whose log it is, where it lies outside of the database. */
export interface LogAdmin {
  /** Which installation this is, and whose the log is; `owner` is undefined as long as nobody has used the log. */
  status(): Promise<{
    readonly installation: string;
    readonly owner: { readonly installation: string; readonly since: Instant } | undefined;
  }>;
  /** Makes the log this installation's. @throws Error when the database has read another log */
  adopt(): Promise<void>;
}

/** One finding of `recovery doctor`. A failing check says what to do in `fix`. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What a failure means: an error stops the product or loses something, a warning does not. */
  readonly severity: 'error' | 'warning';
  readonly detail: string;
  readonly fix?: string;
}

export interface CliServices {
  readonly db: Db;
  readonly store: EventStore;
  readonly migrations: Migrations;
  readonly projections: ProjectionAdmin;
  readonly parked: ParkedAdmin;
  /** Undefined: the log is in Postgres. */
  readonly log: LogAdmin | undefined;
  databaseChecks(): Promise<readonly Check[]>;
  /** Of Kafka, where it is the bus. */
  busChecks(): Promise<readonly Check[]>;
  /** Runs the roles (all of them without any given) until the signal aborts, then stops gracefully. */
  serve(options: { readonly roles: readonly ServeRole[]; readonly signal: AbortSignal }): Promise<void>;
  /** Shows the main job on `write`, one line at a time; then serves until the signal aborts, unless `exit`. */
  demo(options: DemoOptions): Promise<void>;
  close(): Promise<void>;
}

export interface DemoOptions {
  readonly exit: boolean;
  /** Only the closing figures, as one line of JSON. */
  readonly json: boolean;
  readonly signal: AbortSignal;
  /** False: plain lines (no terminal, or --json). */
  readonly interactive: boolean;
  /** The terminal's width now. */
  readonly columns: () => number;
  readonly write: (text: string) => void;
}

/**
 * `serve` and `demo` may migrate and start what they need; `operate` looks at what is there, never migrates, and
 * logs to stderr only, because stdout is the command's answer.
 * @param roles what `serve` is to run: all roles without any given
 * @throws ConfigError; StartRefused before anything was opened or changed
 */
export type OpenServices = (
  config: Config,
  purpose: 'serve' | 'demo' | 'operate',
  roles?: readonly ServeRole[],
) => Promise<CliServices>;
