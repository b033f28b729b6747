import { credentialDecider } from '../../src/commands/credential/decide.js';
import type { Ledger } from '../../src/commands/credential/ledger.js';
import { limitsOn } from '../../src/commands/credential/networkLimits.js';
import { builtInPolicy } from '../../src/commands/organization/builtInPolicy.js';
import { classify } from '../../src/commands/recovery/classification/classify.js';
import { recoveryDecider } from '../../src/commands/recovery/decide.js';
import type { Guidance } from '../../src/commands/recovery/guidance.js';
import { nextSteps } from '../../src/commands/recovery/plan.js';
import type { KnownRecovery } from '../../src/commands/recovery/state.js';
import { compileRules, type RuleFacts } from '../../src/commands/rules/match.js';
import { HOUR, plus } from '../../src/kernel/clock.js';
import { deriveId } from '../../src/kernel/ids.js';
import type { Failure } from '../../src/kernel/ports.js';
import { aCharge, external } from '../../test/support/credentialSamples.js';
import { startRecovery, T0 } from '../../test/support/recoverySamples.js';
import { type Bench, rateFigure, resultOf } from '../lib/figure.js';
import { merchantFacts, merchantRules } from '../lib/merchantRules.js';
import { alternate, type Contender, linearly, type Result, type Round } from '../lib/rounds.js';

const FEW = 50;
const MANY = 1_000;
/** What is wanted of one core. */
const WANTED = 50_000;

const codes = [
  'insufficient_funds',
  'do_not_honor',
  'generic_decline',
  'processing_error',
  'card_velocity_exceeded',
  'expired_card',
  'authentication_required',
  'stolen_card',
];
const zones = ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'America/Sao_Paulo'];

interface Case {
  readonly failure: Failure;
  readonly known: KnownRecovery;
  readonly now: string;
  readonly guidance: Omit<Guidance, 'rules'>;
}

/** A card with some attempts behind it. */
const ledgerOf = (n: number, brand: string): Ledger =>
  Array.from({ length: n % 6 }, (_, index) =>
    external(`t${index}`, plus(T0, -index * 20 * HOUR), aCharge({ brand })),
  ).reduce(credentialDecider.evolve, credentialDecider.initialState);

const caseOf = (
  { card_brand: brand = 'unknown', country, segment, metadata }: RuleFacts,
  n: number,
): Case => {
  const failure = { decline_code: codes[n % codes.length] as string, card_brand: brand };
  const now = plus(T0, n * 37 * 60_000);
  const timezone = zones[n % zones.length] as string;
  const guidance = {
    ledger: ledgerOf(n, brand),
    limits: limitsOn(now),
    circumstances: { brand, timezone, metadata, ...(country && { country }), ...(segment && { segment }) },
    readAt: { payment: 0, credential: 0 },
  };
  const start = startRecovery('do_not_honor', {
    policy: builtInPolicy,
    paymentId: deriveId('p', String(n)),
    now,
  });
  const [begun] = recoveryDecider.decide(start, recoveryDecider.initialState);
  const known = begun && recoveryDecider.evolve(recoveryDecider.initialState, begun);
  if (known === undefined || known.status === 'none') throw new Error('no recovery began');
  return { failure, known, now, guidance };
};

/** Reads every failure and decides its next steps, again and again for about `ms`. */
const roundOf = (count: number, cases: readonly Case[], ms: number): (() => Promise<Round>) => {
  const rules = compileRules(1, merchantRules(count));
  return () => {
    const latencies: number[] = [];
    const start = performance.now();
    for (let at = start; at - start < ms;) {
      let steps = 0;
      for (const { failure, known, now, guidance } of cases) {
        const classification = classify(failure, now);
        steps += nextSteps({ ...known, classification }, now, { ...guidance, rules }).events.length;
      }
      if (steps < cases.length) throw new Error('too little is decided: this measures nothing');
      const end = performance.now();
      latencies.push((end - at) / cases.length);
      at = end;
    }
    return Promise.resolve({
      operations: latencies.length * cases.length,
      ms: performance.now() - start,
      latencies,
    });
  };
};

const wanted = (like: Result): Result => ({ ...like, rate: WANTED, rates: like.rates.map(() => WANTED) });

export const decisionsBench: Bench = {
  names: ['decide_50', 'decide_growth'],
  run: async ({ sizes }) => {
    const cases = merchantFacts(1_000).map(caseOf);
    const contender = (name: string, rules: number): Contender => ({
      name,
      round: roundOf(rules, cases, sizes.appendMs),
    });
    const few = contender('50 rules', FEW);
    const many = contender('1,000 rules', MANY);
    const results = await alternate([few, many], sizes.rounds);
    const ours = resultOf(results, few);
    return [
      rateFigure(
        'decide_50',
        { ours, baseline: wanted(ours) },
        { unit: 'op/s', baseline: 'what one core is to do', goal: 1 },
      ),
      rateFigure(
        'decide_growth',
        { ours: resultOf(results, many), baseline: linearly(ours, MANY / FEW) },
        { unit: 'op/s', baseline: '50 rules, growing linearly', goal: 2 },
      ),
    ];
  },
};
