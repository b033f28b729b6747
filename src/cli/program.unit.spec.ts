import { expect } from 'chai';
import { configProblem, healthyProjection, runCli } from '../../test/support/cli.js';
import { DomainError } from '../kernel/errors.js';
import { ProjectionError } from '../projections/engine/errors.js';

const ID = '7c9e6679-7425-40de-944b-e07fc1f90ae7';

/** Every command, group or not. */
const commands = [
  'serve',
  'demo',
  'doctor',
  ...['migrate', 'migrate up', 'migrate down', 'migrate status'],
  ...['list', 'status', 'rebuild', 'rollback', 'pause', 'resume'].map((name) => `projections ${name}`),
  ...['events', 'events tail', 'events show', 'events export'],
  ...['recoveries', 'recoveries explain'],
  ...['declines', 'declines tables', 'declines classify', 'declines unmapped', 'declines reclassify'],
  ...['parked', 'parked list', 'parked show', 'parked retry', 'parked discard'],
];

describe('recovery: help', () => {
  for (const command of ['', ...commands]) {
    it(`of "recovery ${command}" names --json and the environment`, async () => {
      const { code, out, err } = await runCli([...command.split(' ').filter(Boolean), '--help']);
      expect({ code, err }).to.deep.equal({ code: 0, err: '' });
      expect(out)
        .to.match(/^Usage: recovery/)
        .and.contain('--json')
        .and.contain('DATA_DIR');
    });
  }

  it('prints the version', async () => expect((await runCli(['--version'])).out).to.equal('1.2.3'));
});

describe('recovery: a mistake on the command line', () => {
  const mistakes: Record<string, RegExp> = {
    '': /Say what to do: serve, .*\n.*recovery --help/,
    projections: /Say what to do: list, .*\n.*recovery projections --help/,
    projetcions: /unknown command 'projetcions' \(Did you mean projections\?\)/,
    'serve --prot 1': /unknown option '--prot' \(Did you mean --port\?\)\n.*recovery serve --help/,
    'serve --port 65536': /integer from 0 to 65535/,
    'serve --role boss': /one of api, projector, relay, saga, scheduler/,
    'migrate up twice': /too many arguments/,
    'migrate down --steps 0': /integer from 1/,
    'projections rebuild': /Give --all or a name: payments, recoveries/,
    'projections rebuild payments --all': /not both/,
    'projections rebuild paymnets': /no projection "paymnets"[^]*payments, recoveries/,
    'projections pause': /Give --all or a name/,
    'events export --type Foo': /no event type "Foo"/,
    'events export --from 2026-02-31': /instant like/,
    'events export --from 2026-02-03T10:00': /instant like/,
    'events export --org acme': /Give a UUID/,
    'events export --after -1': /Give a position|unknown option|argument missing/,
    'events show acme': /Streams are named/,
    'parked retry': /missing required argument 'key'/,
    'recoveries explain': /missing required argument 'id'/,
  };
  for (const [line, message] of Object.entries(mistakes)) {
    it(`"${line}" is answered with what to do, and 2`, async () => {
      const { code, out, err } = await runCli(line.split(' ').filter(Boolean));
      expect({ code, out }).to.deep.equal({ code: 2, out: '' });
      expect(err).to.match(message);
    });
  }

  it('is told as JSON with --json', async () => {
    const { code, err } = await runCli(['serve', '--json', '--bla']);
    expect(code).to.equal(2);
    expect(JSON.parse(err)).to.deep.include({
      error: {
        code: 'usage',
        message: "unknown option '--bla'",
        fix: 'Run `recovery serve --help` to see what it takes.',
      },
    });
  });
});

describe('recovery: failures', () => {
  it('of the configuration list every problem, exit 2', async () => {
    const { code, err } = await runCli(['migrate', 'status'], { env: { PORT: 'x', LOG_LEVEL: 'y' } });
    expect(code).to.equal(2);
    expect(err).to.contain('PORT must be').and.contain('LOG_LEVEL must be');
  });

  it('of a rule are refusals, exit 3', async () => {
    const refuse = (error: Error) => ({ projections: { rebuild: () => Promise.reject(error) } });
    const running = new ProjectionError('rebuild_running', 'payments is being rebuilt by another process');
    for (const error of [running, new DomainError('version_conflict', 'it moved')]) {
      const { code, err, calls } = await runCli(['projections', 'rebuild', 'payments'], refuse(error));
      expect(code).to.equal(3);
      expect(err).to.contain(error.message);
      expect(calls.at(-1)).to.equal('close');
    }
  });

  it('of the connection say where to look, exit 1', async () => {
    const error = Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' });
    const { code, err } = await runCli(['events', 'export'], { unopened: error });
    expect(code).to.equal(1);
    expect(err).to.contain('ECONNREFUSED').and.contain('recovery doctor');
  });

  it('an interruption closes what was opened', async () => {
    const signal = AbortSignal.timeout(5);
    const stuck = { rebuild: (_: unknown, options?: { signal?: AbortSignal }) => stopped(options?.signal) };
    const stopped = (given?: AbortSignal) =>
      new Promise<never>((_resolve, reject) =>
        given?.addEventListener('abort', () => reject(new Error('stopped'))),
      );
    const { code, calls } = await runCli(['projections', 'rebuild', '--all'], { projections: stuck, signal });
    expect(code).to.equal(1);
    expect(calls.at(-1)).to.equal('close');
  });
});

describe('recovery: what reaches the services', () => {
  const cases: Record<string, readonly string[]> = {
    serve: ['open serve 8000', 'serve ', 'close'],
    'serve --role api --role saga --port 0': ['open serve 0', 'serve api,saga', 'close'],
    'demo --exit --port 9000': ['open demo 9000', 'demo true', 'close'],
    'projections rebuild --all': ['rebuild payments,recoveries {}'],
    [`projections rebuild payments --batch 100 --max-rows 500 --org ${ID.toUpperCase()}`]: [
      `rebuild payments {"batch":100,"org":"${ID}","maxRowsInMemory":500}`,
    ],
    'projections rollback payments': ['rollback payments'],
    'projections pause --all': ['pause payments', 'pause recoveries'],
    'projections resume recoveries': ['resume recoveries'],
  };
  for (const [line, expected] of Object.entries(cases)) {
    it(line, async () => {
      const { code, calls } = await runCli(line.split(' '));
      expect(code).to.equal(0);
      const served = expected[0]?.startsWith('open');
      expect(calls).to.deep.equal(served ? expected : ['open operate 8000', ...expected, 'close']);
    });
  }

  it('a database from a newer version is not migrated', async () => {
    const migrations = {
      up: () => Promise.reject(new Error('must not be called')),
      down: () => Promise.resolve([]),
      status: () => Promise.resolve({ applied: [], pending: ['2.js'], unknown: ['9.js'] }),
    };
    const { code, err } = await runCli(['migrate', 'up'], { services: { migrations } });
    expect(code).to.equal(3);
    expect(err).to.contain('newer version');
  });

  it('status tells the same trouble once', async () => {
    const error = { position: '3', event_id: ID, type: 'PaymentFailed', message: 'no amount' };
    const blocker = 'failed on PaymentFailed at 3: no amount';
    const status = () =>
      Promise.resolve([{ ...healthyProjection, state: 'failed' as const, error, blocker }]);
    const { out } = await runCli(['projections', 'status'], { projections: { status } });
    expect(out.split('\n')[1]?.split('\t').at(-1)).to.equal(blocker);
  });

  it('serve says what ended it without the data that a database quotes', async () => {
    const error = Object.assign(new Error('value "Ada Canary" of ada@canary.test is wrong'), {
      code: '22P02',
    });
    const serve = () => Promise.reject(error);
    const { code, err } = await runCli(['serve'], { services: { serve } });
    expect([code, err]).to.deep.equal([1, 'recovery: value "…" of [e-mail] is wrong']);
  });

  it('serve and demo word a port that is taken', async () => {
    const unopened = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE' });
    for (const command of ['serve', 'demo']) {
      const { code, err } = await runCli([command, '--port', '8123'], { unopened });
      expect(code).to.equal(1);
      expect(err).to.contain('Port 8123 is in use.').and.contain('--port 8124');
    }
  });

  it('the log and the vault are not dropped without a yes', async () => {
    const applied = ['1_events.js', '2_vault.js', '3_other.js'];
    const taken: number[] = [];
    const migrations = {
      up: () => Promise.resolve([]),
      down: (steps = 1) => (taken.push(steps), Promise.resolve(applied.slice(-steps))),
      status: () => Promise.resolve({ applied, pending: [], unknown: [] }),
    };
    const down = (...args: string[]) => runCli(['migrate', 'down', ...args], { services: { migrations } });
    const { code, err } = await down('--steps', '3');
    expect(code).to.equal(3);
    expect(err).to.contain('1_events.js and 2_vault.js').and.contain('--yes');
    expect((await down()).code).to.equal(0);
    expect((await down('--steps', '3', '--yes')).code).to.equal(0);
    expect(taken).to.deep.equal([1, 3]);
  });

  it('status is tab-separated without a terminal, whole with --json', async () => {
    const { out } = await runCli(['projections', 'status']);
    expect(out.split('\n').map((line) => line.split('\t').slice(0, 3))).to.deep.equal([
      ['name', 'version', 'state'],
      ['recoveries', '1', 'running'],
    ]);
    const json = await runCli(['projections', 'status', '--json']);
    expect(JSON.parse(json.out)).to.deep.equal({ data: [healthyProjection] });
  });
});

describe('recovery doctor', () => {
  const doctor = (world = {}) => runCli(['doctor', '--json'], world);
  const find = (out: string, name: string): unknown =>
    (JSON.parse(out) as { checks: { name: string }[] }).checks.find((check) => check.name === name);

  it('is content when all is well', async () => {
    const { code, out } = await doctor();
    expect(code).to.equal(0);
    const { ok, checks } = JSON.parse(out) as { ok: boolean; checks: { name: string; ok: boolean }[] };
    expect(ok).to.equal(true);
    const names = ['configuration', 'secrets', 'mail', 'links', 'database', 'projection recoveries'];
    expect(checks.filter((check) => check.ok).map(({ name }) => name)).to.deep.equal(names);
  });

  it('lists the faults of the configuration, read or found on opening', async () => {
    for (const world of [{ env: { PORT: 'x' } }, { unopened: configProblem }]) {
      const { code, out } = await doctor(world);
      expect(code).to.equal(1);
      expect(find(out, 'configuration')).to.include({ ok: false, severity: 'error' });
    }
  });

  it('tells of parked messages and of Kafka', async () => {
    expect(find((await doctor()).out, 'parked messages')).to.include({
      ok: false,
      severity: 'warning',
      detail: '2 in 1 sequences, the oldest since 2026-01-01T00:00:00.000Z',
    });
    const away = { name: 'Kafka', ok: false, severity: 'error', detail: 'away' } as const;
    const { code, out } = await doctor({ services: { busChecks: () => Promise.resolve([away]) } });
    expect([code, find(out, 'Kafka')]).to.deep.equal([1, away]);
    const unfit = () => Promise.reject(configProblem);
    const { out: problem } = await doctor({ services: { busChecks: unfit } });
    expect(find(problem, 'Kafka')).to.include({ detail: 'JWT_SECRET must be set' });
  });

  it('judges the secrets as serve does, and writes none', async () => {
    const weak = await doctor({ env: { ENVIRONMENT: 'production', JWT_SECRET: 'weak-canary' } });
    expect(weak.code).to.equal(1);
    const { checks } = JSON.parse(weak.out) as { checks: { name: string; detail: string }[] };
    const details = checks.filter(({ name }) => name === 'secrets').map(({ detail }) => detail);
    expect(details.map((detail) => detail.split(' ')[0])).to.deep.equal([
      'MASTER_KEY',
      'PASSWORD_PEPPER',
      'JWT_SECRET',
    ]);
    expect(weak.out).not.to.contain('weak-canary');
  });

  it('names a failed check of the database, a stopped projection and a database that does not answer', async () => {
    const fix = 'Run `recovery migrate up`.';
    const pending = {
      name: 'migrations',
      ok: false,
      severity: 'error',
      detail: 'pending: 2.js',
      fix,
    } as const;
    const databaseChecks = () => Promise.resolve([pending]);
    const error = { position: '3', event_id: ID, type: 'PaymentFailed', message: 'no amount' };
    const stopped = { status: () => Promise.resolve([{ ...healthyProjection, error }]) };
    const bad = await doctor({ services: { databaseChecks }, projections: stopped });
    expect(bad.code).to.equal(1);
    expect(find(bad.out, 'migrations')).to.include({ ok: false, fix });
    expect(find(bad.out, 'projection recoveries')).to.include({ ok: false, severity: 'error' });
    const down = await doctor({ unopened: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) });
    expect(find(down.out, 'database')).to.include({ ok: false, detail: 'refused' });
  });

  it('only warns when nothing is broken, and says what to do', async () => {
    const behind = { ...healthyProjection, lag: { events: 5, seconds: 9 }, heartbeat_age_seconds: null };
    const { code, out } = await runCli(['doctor'], {
      projections: { status: () => Promise.resolve([behind]) },
    });
    expect(code).to.equal(0);
    expect(out)
      .to.contain('WARNING')
      .and.contain('What to do:')
      .and.contain('recovery serve --role projector');
  });

  it('wants a mail server in production, and says why one cannot be used', async () => {
    const production = await doctor({ env: { ENVIRONMENT: 'production' } });
    expect(find(production.out, 'mail')).to.include({ ok: false, severity: 'error' });
    expect(find(production.out, 'links')).to.include({ ok: false, severity: 'error' });
    const staging = await doctor({ env: { ENVIRONMENT: 'staging' } });
    expect(find(staging.out, 'mail')).to.include({ ok: false, severity: 'warning' });
    expect(find(staging.out, 'links')).to.include({ ok: false, severity: 'warning' });
    const unreachable = await doctor({ env: { SMTP_HOST: '127.0.0.1', SMTP_PORT: '1' } });
    expect(find(unreachable.out, 'mail')).to.include({ ok: false });
  });
});
