/** What the commands need of the running system: main.ts puts it together, the tests fake it. */
import type { Config } from '../config.js';
import type { EventStore } from '../events/eventStore.js';
import type { Db } from '../kernel/db.js';

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

export interface ProjectionInfo {
  readonly name: string;
  readonly version: number;
  readonly table: string;
  readonly events: readonly string[];
}

export interface ProjectionStatus {
  readonly name: string;
  readonly version: number;
  /** running, paused, failed, rebuilding, … as the engine words it. */
  readonly state: string;
  readonly position: string;
  readonly head: string;
  readonly lag_events: number;
  readonly lag_seconds: number;
  /** Absent when no projector has ever reported. */
  readonly heartbeat_age_seconds?: number | null;
  readonly last_error?: {
    readonly position: string;
    readonly event_id: string;
    readonly type: string;
    readonly message: string;
  } | null;
  /** What keeps it from going on, in words. */
  readonly blocker?: string | null;
}

export interface RebuildProgress {
  readonly phase: string;
  readonly events: number;
  /** Absent when it is not known. */
  readonly total?: number;
}

export interface RebuildOptions {
  /** Events per page. */
  readonly batch?: number;
  readonly orgId?: string;
  /** Rows kept in memory at most. */
  readonly maxRows?: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: RebuildProgress) => void;
}

export interface RebuildResult {
  readonly name: string;
  readonly events: number;
  readonly rows: number;
  readonly seconds: number;
  readonly position: string;
}

export interface ProjectionAdmin {
  list(): readonly ProjectionInfo[];
  status(): Promise<readonly ProjectionStatus[]>;
  /** One pass over the log for all the names given. */
  rebuild(names: readonly string[], options: RebuildOptions): Promise<readonly RebuildResult[]>;
  /** Back to the table that the last rebuild replaced. */
  rollback(name: string): Promise<void>;
  pause(name: string): Promise<void>;
  resume(name: string): Promise<void>;
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
  databaseChecks(): Promise<readonly Check[]>;
  /** Runs the roles (all of them without any given) until the signal aborts, then stops gracefully. */
  serve(options: { readonly roles: readonly ServeRole[]; readonly signal: AbortSignal }): Promise<void>;
  /** Shows the main job on `write`, one line at a time; then serves until the signal aborts, unless `exit`. */
  demo(options: DemoOptions): Promise<void>;
  close(): Promise<void>;
}

export interface DemoOptions {
  readonly exit: boolean;
  readonly signal: AbortSignal;
  /** False: plain lines (no terminal, or --json). */
  readonly interactive: boolean;
  readonly write: (text: string) => void;
}

/**
 * `serve` and `demo` may migrate and start what they need; `operate` looks at what is there, never migrates, and
 * logs to stderr only, because stdout is the command's answer.
 * @throws ConfigError
 */
export type OpenServices = (config: Config, purpose: 'serve' | 'demo' | 'operate') => Promise<CliServices>;
