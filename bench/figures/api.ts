import { randomUUID } from 'node:crypto';
import { type Bench, type Environment, type Figure, rateFigure, resultOf } from '../lib/figure.js';
import { httpRound, requestText } from '../lib/httpLoad.js';
import { type Pair, startPair } from '../lib/product.js';
import { alternate, type Contender, type Round } from '../lib/rounds.js';
import { SEEDED_ORG } from '../lib/seededLog.js';

const CONNECTIONS = 32;
/** Recoveries that are asked for in turn. */
const RECOVERIES = 1_000;

const failureBody = (): string => {
  const ref = randomUUID();
  return JSON.stringify({
    transaction_ref: `order-${ref}`,
    amount: 4999,
    currency: 'EUR',
    customer: {
      id: `cus_${ref.slice(0, 14)}`,
      email: `${ref.slice(0, 8)}@example.com`,
      name: 'Ada Lovelace',
    },
    gateway: 'sandbox',
    failure: {
      code: 'card_declined',
      decline_code: 'insufficient_funds',
      message: 'Your card was declined.',
    },
    payment_method: { id: `pm_${ref.slice(0, 14)}`, last4: '4242' },
    metadata: { cart: ref },
  });
};

const compare = async (
  name: string,
  about: Pick<Figure, 'baseline' | 'goal'>,
  { product, baseline }: { product: () => Promise<Round>; baseline: () => Promise<Round> },
  rounds: number,
): Promise<Figure> => {
  const ours: Contender = { name, round: product };
  const theirs: Contender = { name: about.baseline, round: baseline };
  const results = await alternate([theirs, ours], rounds);
  return rateFigure(
    name,
    { ours: resultOf(results, ours), baseline: resultOf(results, theirs) },
    { unit: 'op/s', ...about },
  );
};

const acceptFailures = ({ product, baseline, token }: Pair, { sizes }: Environment): Promise<Figure> => {
  const round = (port: number, request: () => string) =>
    httpRound({ port, request, expectedStatus: 202 }, CONNECTIONS, sizes.httpMs);
  return compare(
    'accept_32',
    { baseline: 'Express, parse and one INSERT', goal: 0.4 },
    {
      product: round(product.port, () =>
        requestText('POST', '/v1/events/payment_failed', { token, body: failureBody() }),
      ),
      baseline: round(baseline.port, () => requestText('POST', '/insert', { body: failureBody() })),
    },
    sizes.rounds,
  );
};

export const acceptBench: Bench = {
  names: ['accept_32'],
  run: async (environment) => {
    const pair = await startPair(await environment.cluster.database('accept'), 'bench');
    try {
      return [await acceptFailures(pair, environment)];
    } finally {
      await pair.stop();
    }
  },
};

const readRecoveries = (
  { product, baseline, token }: Pair,
  { sizes }: Environment,
  ids: readonly string[],
): Promise<Figure> => {
  let next = 0;
  const id = (): string => ids[next++ % ids.length] ?? '';
  const round = (port: number, request: () => string) =>
    httpRound({ port, request, expectedStatus: 200 }, CONNECTIONS, sizes.httpMs);
  return compare(
    'read_recovery_32',
    { baseline: 'Express, the same query', goal: 0.6 },
    {
      product: round(product.port, () => requestText('GET', `/v1/recoveries/${id()}`, { token })),
      baseline: round(baseline.port, () => requestText('GET', `/recoveries/${id()}`)),
    },
    sizes.rounds,
  );
};

export const readBench: Bench = {
  names: ['read_recovery_32'],
  run: async (environment) => {
    const log = await environment.seededLog();
    await log.withRecoveries();
    const pair = await startPair(log.url, SEEDED_ORG);
    try {
      const { rows } = await log.pool.query<{ key: string }>(
        'SELECT key FROM recoveries WHERE org_id = $1 ORDER BY key LIMIT $2',
        [pair.orgId, RECOVERIES],
      );
      return [
        await readRecoveries(
          pair,
          environment,
          rows.map(({ key }) => key),
        ),
      ];
    } finally {
      await pair.stop();
    }
  },
};
