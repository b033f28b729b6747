import type { Static } from 'typebox';
import { meaningOf } from '../../commands/recovery/classification/meaning.js';
import { tablesOfVersion } from '../../commands/recovery/classification/tables.js';
import { simulateFailure, type Simulation, type Supposed } from '../../commands/recovery/simulate.js';
import { asKept, ruleFaults } from '../../commands/rules/faults.js';
import { compileRules, type RuleEffects } from '../../commands/rules/match.js';
import type { Cohort, Explanation, RecoveryEvent } from '../../events/recovery.js';
import { type Rule, ruleActions } from '../../events/rules.js';
import { DAY, type Instant, plus } from '../../kernel/clock.js';
import { DomainError, type FieldError } from '../../kernel/errors.js';
import { deriveId } from '../../kernel/ids.js';
import { roles } from '../../kernel/principal.js';
import { EARLIEST, instantIn, latestAskable } from '../instants.js';
import { ok, type Route, route } from '../route.js';
import { SimulateBody, SimulationResponse } from '../schemas/simulation.js';

type Body = Static<typeof SimulateBody>;
type Answer = Static<typeof SimulationResponse>;

const repeatedId = (rules: readonly Rule[], index: number): FieldError[] =>
  rules.findIndex(({ id }) => id === rules[index]?.id) < index
    ? [{ pointer: '/id', detail: 'must be the id of one rule only' }]
    : [];

/** @throws DomainError `validation_failed` with the place of what contradicts itself */
const candidates = (given: NonNullable<Body['rules']>): readonly Rule[] => {
  const rules = given.map(({ id, name, enabled = true, conditions = {}, actions }, index) => ({
    id: id ?? deriveId('candidate', String(index)),
    name,
    enabled,
    conditions,
    actions,
  }));
  const faults = rules.flatMap((rule, index) =>
    [...ruleFaults(rule), ...repeatedId(rules, index)].map(({ pointer, detail }) => ({
      pointer: `/rules/${index}${pointer}`,
      detail,
    })),
  );
  if (faults.length > 0)
    throw new DomainError('validation_failed', 'The rules would not hold together', faults.slice(0, 50));
  return rules.map(asKept);
};

/** A payment that is not named is like no other: the empty reference is none that can be reported. */
const supposedIn = (
  { attempt = 1, opened_at, now: at, rules: _, occurred_at, customer, transaction_ref, ...facts }: Body,
  now: Instant,
): Omit<Supposed, 'rules'> => {
  const decidedAt = instantIn(at, '/now', now, latestAskable(now));
  const openedAt = instantIn(opened_at, '/opened_at', decidedAt, decidedAt);
  const failed_at = instantIn(occurred_at, '/occurred_at', openedAt, plus(decidedAt, DAY));
  const about = { transaction_ref: transaction_ref ?? '', trigger_id: 'simulation', late: false, failed_at };
  return { failed: { ...facts, customer: customer ?? {}, ...about }, attempt, openedAt, now: decidedAt };
};

const actionsOf = (effects: RuleEffects): Answer['actions'] =>
  ruleActions.flatMap((action) => {
    const said = effects[action];
    if (said === undefined) return [];
    const { rule } = said;
    const value = 'value' in said ? said.value : 'reason' in said ? { reason: said.reason } : true;
    return [{ action, value, rule }];
  });

const withoutCohort = <T extends { cohort: Cohort }>({ cohort: _, ...rest }: T): Omit<T, 'cohort'> => rest;

type DataOf<T extends RecoveryEvent['type']> = Extract<RecoveryEvent, { type: T }>['data'];
const dataOf = <T extends RecoveryEvent['type']>(
  events: readonly RecoveryEvent[],
  wanted: T,
): DataOf<T> | undefined => events.find(({ type }) => type === wanted)?.data as DataOf<T> | undefined;

/** @param rules_version null: the rules were only tried, and have none */
const stepsOf = (
  { events, explanation: otherwise }: Simulation['steps'],
  rules_version: number | null,
): Pick<Answer, 'retry' | 'mail' | 'end' | 'wait' | 'escalations'> => {
  const why = (said: Explanation = otherwise()) => ({ explanation: { ...said, rules_version } });
  const retry = dataOf(events, 'RetryScheduled');
  const mail = dataOf(events, 'NotificationScheduled');
  const end = dataOf(events, 'RecoveryExhausted');
  const nothing = (retry ?? mail ?? end) === undefined;
  return {
    retry: retry === undefined ? null : { ...withoutCohort(retry), ...why(retry.explanation) },
    mail: mail === undefined ? null : { ...withoutCohort(mail), ...why(mail.explanation) },
    end: end === undefined ? null : { reason: end.reason, ...why(end.explanation) },
    wait: nothing ? why() : null,
    escalations: events.flatMap(({ type, data }) =>
      type === 'RecoveryEscalated' ? [{ cause: data.cause, reason: data.reason }] : [],
    ),
  };
};

const answerOf = ({ begun, rules, limitsVersion, steps }: Simulation, tried: boolean): Answer => {
  const { category, hardness, retry, earliest_at = null, evidence } = begun;
  const { table_version: version } = evidence;
  const effective_from = tablesOfVersion(version)?.effectiveFrom ?? EARLIEST;
  const rules_version = tried ? null : rules.rules_version;
  return {
    classification: {
      category,
      hardness,
      retry,
      earliest_at,
      meaning: meaningOf(begun),
      evidence,
      table: { version, effective_from },
    },
    policy_version: begun.policy_version,
    limits_version: limitsVersion,
    rules_version,
    rules: rules.verdicts.map(({ rule, matches, unmet }) => ({ ...rule, matches, unmet: [...unmet] })),
    actions: actionsOf(rules.effects),
    ...stepsOf(steps, rules_version),
  };
};

export const simulationRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/rules/simulate',
    operationId: 'simulateRules',
    tag: 'Rules',
    summary: 'What would be decided about a failure',
    description:
      'By the decider of real failures, from the policy and the rules in force and the attempts on the payment ' +
      'method; `rules` tries others. Nothing is recorded.',
    access: roles,
    body: SimulateBody,
    positioned: false,
    responses: {
      200: { description: 'Which rules match, and what would be scheduled', schema: SimulationResponse },
    },
    refusals: ['not_found'],
    handler: async ({ deps, principal: { orgId }, body }) => {
      const supposed = supposedIn(body, deps.clock.now().toISOString());
      const rules =
        body.rules === undefined ? await deps.rulesOf(orgId) : compileRules(0, candidates(body.rules));
      return ok(
        answerOf(await simulateFailure(deps, orgId, { ...supposed, rules }), body.rules !== undefined),
      );
    },
  }),
];
