/** The demo as a reader runs it, and what can be read of the system that it leaves running. */
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Decided, Showcase } from '../src/demo/decided.js';
import type { Figure } from '../src/demo/figures.js';
import { meanings } from '../src/commands/recovery/classification/meaning.js';
import { tablesInForceOn } from '../src/commands/recovery/classification/tables.js';
import { mailPlans } from '../src/commands/recovery/mailPlans.js';
import { categories, type Category } from '../src/events/recovery.js';
import { stories, type Story } from '../src/demo/stories.js';
import { documentedBy } from './support/documented.js';
import { type RecoveryProcess, startRecovery } from './support/recoveryProcess.js';
import { type Reply, type Request, send } from './support/systemClient.js';

interface Shown {
  readonly taken_in: { readonly payments: number };
  readonly recovery_rate: readonly {
    readonly currency: string;
    readonly opened: Figure;
    readonly recovered: Figure;
    readonly lost: Figure;
    readonly cancelled: Figure;
    readonly open: Figure;
  }[];
  readonly revenue_recovered: readonly { readonly currency: string; readonly total: Figure }[];
  readonly timeline: { readonly recovery_id: string; readonly decisions: readonly unknown[] };
  readonly decided: Showcase;
  readonly login: { readonly token: string };
  readonly urls: { readonly api: string };
}

/** How each story ends: by what its people do, else by the last answer of the PSP. */
const endOf = ({ deed, script }: Story): 'recovered' | 'lost' | 'cancelled' => {
  if (deed?.does === 'merchant_cancels') return 'cancelled';
  if (deed !== undefined && deed.does !== 'looks') return 'recovered';
  return /(success|timeout)$/.test(script) ? 'recovered' : 'lost';
};

/** What a recovery of that end is called. */
const statuses = {
  recovered: ['succeeded'],
  lost: ['exhausted', 'expired'],
  cancelled: ['cancelled'],
};

const sum = (currency: string, ...ends: readonly string[]): Figure => {
  const found = stories.filter((story) => story.currency === currency && ends.includes(endOf(story)));
  return { count: found.length, amount: found.reduce((total, { amount }) => total + amount, 0) };
};

const expectFigures = (shown: Shown): void => {
  // One more payment succeeds before its failure comes in: no recovery is opened for it.
  expect(shown.taken_in.payments).to.equal(stories.length + 1);
  expect(shown.recovery_rate.map(({ currency }) => currency)).to.have.members(['EUR', 'USD', 'JPY']);
  for (const { currency, opened, recovered, lost, cancelled, open } of shown.recovery_rate) {
    expect({ opened, recovered, lost, cancelled, open }, currency).to.deep.equal({
      opened: sum(currency, 'recovered', 'lost', 'cancelled'),
      recovered: sum(currency, 'recovered'),
      lost: sum(currency, 'lost'),
      cancelled: sum(currency, 'cancelled'),
      open: { count: 0, amount: 0 },
    });
  }
  for (const { currency, total } of shown.revenue_recovered)
    expect(total, currency).to.deep.equal(sum(currency, 'recovered'));
};

const recoveryDoc = readFileSync(fileURLToPath(new URL('../docs/recovery.md', import.meta.url)), 'utf8');

/** By what the tables say of each category, not by what the demo says of it. */
const outcomeOf = (category: Category): Decided['outcome'] => {
  const at = new Date().toISOString();
  if (tablesInForceOn(at).categories[category].retry === 'allowed') return 'charged';
  return mailPlans[category].length > 0 ? 'mailed' : 'neither';
};

const expectDecisions = ({ kinds, rule, shared_card: [stolen, second] }: Showcase): void => {
  expect(kinds.map(({ category }) => category)).to.have.members([...categories]);
  for (const { category, meaning, steps, outcome } of kinds) {
    expect(outcome, category).to.equal(outcomeOf(category as Category));
    expect(meaning, category).to.equal(meanings[category as Category]);
    expect(steps.join(), category).to.match(
      {
        charged: /^charged again \d/,
        mailed: /^not charged again: .*mail "/,
        neither: /charged again|nothing/,
      }[outcome],
    );
    const told = steps.some((step) => step.startsWith('you are told'));
    expect(told, category).to.equal(outcome === 'neither' && category !== 'pending_unknown');
  }
  expect(rule.without.steps.join()).not.to.contain(rule.name);
  expect(rule.with.steps.join()).to.contain(`the rule "${rule.name}"`).and.contain('you are told');
  const shown = [...recoveryDoc.matchAll(/^ {4}because: (.*)$/gm)].map(([, why]) => why ?? '');
  expect(shown, 'what docs/recovery.md shows of it').to.have.length.above(1);
  for (const why of shown) expect(rule.with.steps.join()).to.contain(why.replaceAll('_', ' '));
  expect([rule.without.category, rule.with.category]).to.deep.equal([
    'insufficient_funds',
    'insufficient_funds',
  ]);
  expect(stolen.outcome).to.equal('mailed');
  expect(second.category, 'would be charged again, were it another card').to.equal('insufficient_funds');
  expect(second.outcome).to.equal('mailed');
};

describe('recovery demo', function () {
  this.timeout(150_000);
  let dir: string;
  let running: RecoveryProcess[] = [];
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'recovery-test-demo-'));
    await chmod(dir, 0o755); // when root runs the tests, the server's account must get in
    running = [];
  });
  afterEach(async () => {
    for (const one of running) one.stop('SIGTERM');
    await Promise.all(running.map(({ ended }) => ended));
    await rm(dir, { recursive: true, force: true });
  });
  const start = async (...args: readonly string[]): Promise<RecoveryProcess> => {
    const one = await startRecovery(args, { DATA_DIR: dir });
    running.push(one);
    return one;
  };

  it('ends by itself with every story at its end', async () => {
    const demo = await start('demo', '--exit', '--json', '--port', '0');
    expect(await demo.ended, demo.said).to.equal(0);
    expect(demo.err).to.equal('');
    const shown = JSON.parse(demo.out) as Shown;
    expectFigures(shown);
    expectDecisions(shown.decided);
  });

  it('serves on until Ctrl-C, and everything can be read and explained', async () => {
    const demo = await start('demo', '--json', '--port', '0');
    const shown = await demo.until(() =>
      demo.out.includes('\n') ? (JSON.parse(demo.out) as Shown) : undefined,
    );
    const { token } = shown.login;
    const base = shown.urls.api;
    const document = (await send<{ paths: unknown }>(`${base}/openapi.json`)).body;
    const documented = documentedBy(document);
    const get = async <B = Record<string, unknown>>(
      path: string,
      request: Request = {},
    ): Promise<Reply<B>> => {
      const reply = await send<B>(base + path, { token, ...request });
      documented(request.method ?? 'GET', path, reply);
      return reply;
    };

    for (const kind of ['payments', 'recoveries']) {
      const { body } = await get<{ data: { id: string; transaction_ref: string; status: string }[] }>(
        `/v1/${kind}?limit=200`,
      );
      expect(body.data.length).to.be.at.least(stories.length);
      for (const { id, transaction_ref, status } of body.data) {
        const live = await get(`/v1/${kind}/${id}`);
        const then = await get(`/v1/${kind}/${id}?as_of=2100-01-01T00:00:00Z`);
        expect(then.text, `${kind} ${transaction_ref}`).to.equal(live.text);
        const story = stories.find(({ ref }) => ref === transaction_ref);
        if (kind === 'recoveries' && story)
          expect(statuses[endOf(story)], `${transaction_ref} is ${status}`).to.include(status);
      }
    }
    const id = shown.timeline.recovery_id;
    expect((await get(`/v1/recoveries/${id}?as_of=2020-01-01T00:00:00Z`)).status).to.equal(404);
    const explained = await get<{ decisions: { summary: string }[] }>(`/v1/recoveries/${id}/explanation`);
    expect(explained.body.decisions).to.have.length(shown.timeline.decisions.length);
    const { from, to } = JSON.parse(demo.out) as { from: string; to: string };
    for (const report of ['recovery_rate', 'revenue_recovered', 'attempts_summary', 'funnel', 'trend']) {
      const path = `/v1/analytics/${report}?from=${from.slice(0, 10)}&to=${to.slice(0, 10)}`;
      const { status, body } = await get<{ currencies: unknown[] }>(path);
      expect([report, status, body.currencies.length]).to.deep.equal([report, 200, 3]);
    }
    const lines = await get('/v1/audit/events', { headers: { accept: 'application/x-ndjson' } });
    expect(lines.text.trimEnd().split('\n').length).to.be.greaterThan(200);
    expect((await get('/readyz')).status).to.equal(200);

    const env = { DATA_DIR: join(dir, 'demo') };
    const cli = await startRecovery(['recoveries', 'explain', id, '--json'], env);
    expect(await cli.ended, cli.said).to.equal(0);
    expect((JSON.parse(cli.out) as { decisions: unknown }).decisions).to.deep.equal(explained.body.decisions);

    demo.stop('SIGINT');
    expect(await demo.ended, demo.said).to.equal(0);
    expect(demo.err).to.equal('');
  });
});
