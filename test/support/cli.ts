/** Runs the command line in this process, against fakes. */
import { type Config, ConfigError, readConfig } from '../../src/config.js';
import type { Io } from '../../src/cli/io.js';
import { run } from '../../src/cli/run.js';
import type { CliServices, ParkedAdmin, ProjectionAdmin } from '../../src/cli/services.js';
import { MemoryEventStore } from '../../src/infra/eventStore/memoryEventStore.js';
import type { ProjectionStatus } from '../../src/projections/engine/status.js';

export const healthyProjection: ProjectionStatus = {
  name: 'recoveries',
  state: 'running',
  generation: 1,
  fold_version: 1,
  code_version: 1,
  position: '7',
  head: '7',
  lag: { events: 0, seconds: 0 },
  heartbeat_age_seconds: 1,
  last_event_at: null,
  error: null,
  rebuild: null,
  can_roll_back: false,
  blocker: null,
};

/** Two projections; every call is noted as one line. */
export const fakeProjections = (
  calls: string[],
  overrides: Partial<ProjectionAdmin> = {},
): ProjectionAdmin => {
  const note = (call: string) => {
    calls.push(call);
    return Promise.resolve();
  };
  return {
    list: () => ['payments', 'recoveries'].map((name) => ({ name, version: 1, events: ['PaymentFailed'] })),
    status: () => Promise.resolve([healthyProjection]),
    rebuild: async (names, { signal: _signal, onProgress: _onProgress, ...options } = {}) => {
      await note(`rebuild ${String(names)} ${JSON.stringify(options)}`);
      return { projections: [...names], events: 10, elapsedSeconds: 2 };
    },
    rollback: (name) => note(`rollback ${name}`),
    pause: (name) => note(`pause ${name}`),
    resume: (name) => note(`resume ${name}`),
    ...overrides,
  };
};

/** One sequence of two messages; every call is noted as one line. */
export const fakeParked = (calls: string[]): ParkedAdmin => ({
  list: () =>
    Promise.resolve([
      {
        group: 'recovery-saga',
        key: 'k1',
        messages: 2,
        reason: 'broken',
        tries: 6,
        parked_at: '2026-01-01T00:00:00.000Z',
        tried_at: '2026-01-01T00:00:01.000Z',
      },
    ]),
  messages: () =>
    Promise.resolve([
      {
        number: '1',
        id: 'm1',
        parked_at: '2026-01-01T00:00:00.000Z',
        form: { unreadable: { key: '', headers: {}, value: '' } },
      },
    ]),
  retry: (group, key) => {
    calls.push(`retry ${group} ${key}`);
    return Promise.resolve({ handled: 2, left: 0 });
  },
  discard: (group, key, which) => {
    calls.push(`discard ${group} ${key} ${which}`);
    return Promise.resolve(2);
  },
});

export interface CliRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** What was asked of the services, in order. */
  readonly calls: readonly string[];
}

export interface CliWorld {
  readonly services?: Partial<CliServices>;
  readonly projections?: Partial<ProjectionAdmin>;
  readonly env?: NodeJS.ProcessEnv;
  /** Opening the services fails so. */
  readonly unopened?: Error;
  readonly signal?: AbortSignal;
}

const fakeServices = (calls: string[], { services, projections }: CliWorld): CliServices => ({
  db: { query: () => Promise.resolve({ rows: [{ ms: Date.now() }] }) } as unknown as CliServices['db'],
  store: new MemoryEventStore(),
  migrations: {
    up: (steps) => Promise.resolve([`up ${steps ?? 'all'}`]),
    down: (steps) => Promise.resolve([`down ${steps}`]),
    status: () => Promise.resolve({ applied: ['1_one.js'], pending: [], unknown: [] }),
  },
  projections: fakeProjections(calls, projections),
  parked: fakeParked(calls),
  log: undefined,
  databaseChecks: () =>
    Promise.resolve([{ name: 'database', ok: true, severity: 'error', detail: 'answers', fix: '' }]),
  busChecks: () => Promise.resolve([]),
  serve: ({ roles }) => Promise.resolve(void calls.push(`serve ${roles.join()}`)),
  demo: ({ exit, write }) => Promise.resolve(void (calls.push(`demo ${exit}`), write('shown'))),
  close: () => Promise.resolve(void calls.push('close')),
  ...services,
});

export const runCli = async (args: readonly string[], world: CliWorld = {}): Promise<CliRun> => {
  const calls: string[] = [];
  const out: string[] = [];
  const err: string[] = [];
  const io: Io = {
    json: args.includes('--json'),
    interactive: false,
    showsProgress: false,
    print: (text) => Promise.resolve(void out.push(text)),
    note: (text) => void err.push(text),
  };
  const open = (config: Config, purpose: string): Promise<CliServices> => {
    if (world.unopened) return Promise.reject(world.unopened);
    calls.push(`open ${purpose} ${config.port}`);
    return Promise.resolve(fakeServices(calls, world));
  };
  const cli = {
    io,
    readConfig: () => readConfig(world.env ?? {}),
    openServices: open,
    signal: world.signal ?? new AbortController().signal,
  };
  const code = await run(cli, '1.2.3', args);
  return { code, out: out.join('\n'), err: err.join('\n'), calls };
};

export const configProblem = new ConfigError(['JWT_SECRET must be set']);
