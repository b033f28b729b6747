import type { Client } from './client.js';
import { DAY } from '../kernel/clock.js';
import { type Kind, kinds, policyWith, rule } from './kinds.js';
import type { DemoSystem } from './system.js';

/** One failure, and what was decided about it. */
export interface Decided {
  readonly title: string;
  readonly recovery_id: string;
  readonly category: string;
  readonly meaning: string;
  /** What is done next, each with its reason, in words. */
  readonly steps: readonly string[];
  readonly outcome: 'charged' | 'mailed' | 'neither';
}

export interface Showcase {
  /** Of the policy: a day of the month. */
  readonly payday: number;
  readonly kinds: readonly Decided[];
  readonly rule: { readonly name: string; readonly without: Decided; readonly with: Decided };
  /** Two payments of one card: what the first one's decline forbids holds for the second. */
  readonly shared_card: readonly [Decided, Decided];
}

interface Explanation {
  readonly rejected: readonly { readonly candidate: string; readonly reason: string }[];
  readonly because?: readonly string[];
}
interface Decision {
  readonly event: string;
  readonly explanation: Explanation | null;
  readonly details: Readonly<Record<string, unknown>>;
}

interface Report extends Kind {
  readonly ref: string;
  readonly amount?: number;
  readonly fingerprint?: string;
}

const spoken = (code: string): string => code.replaceAll('_', ' ');
const textOf = ({ details }: Decision, name: string): string => String(details[name]);
const reasonOf = ({ explanation }: Decision, candidate: string): string | undefined =>
  explanation?.rejected.find((one) => one.candidate === candidate)?.reason;

/** ` (why, why)`, or nothing where nothing but the plan of the category set the time. */
const because = ({ explanation }: Decision): string => {
  const reasons = explanation?.because ?? [];
  return reasons.length === 0 ? '' : `: ${reasons.map(spoken).join('; ')}`;
};

/** The first decisions of a recovery as a merchant reads them. */
export const stepsOf = (decisions: readonly Decision[]): readonly string[] => {
  const first = (event: string) => decisions.find((one) => one.event === event);
  const [retry, mail] = [first('RetryScheduled'), first('NotificationScheduled')];
  const end = first('RecoveryExhausted');
  const escalations = decisions.filter(({ event }) => event === 'RecoveryEscalated');
  const planned = retry ?? mail ?? end;
  const noRetry = planned && reasonOf(planned, 'retry');
  const noMail = planned && reasonOf(planned, 'notify');
  const steps = [
    ...(retry ? [`charged again ${textOf(retry, 'at')}${because(retry)}`] : []),
    ...(noRetry === undefined ? [] : [`not charged again: ${noRetry}`]),
    ...(mail ? [`mail "${spoken(textOf(mail, 'template'))}" ${textOf(mail, 'at')}${because(mail)}`] : []),
    ...(noMail === undefined || end ? [] : [`no mail yet: ${noMail}`]),
    ...escalations.map((one) => `you are told: ${textOf(one, 'reason')}`),
    ...(end ? ['the recovery ends here'] : []),
  ];
  const waits = decisions.find(({ explanation }) => explanation !== null);
  const why = waits && reasonOf(waits, 'retry');
  return steps.length > 0 ? steps : [`nothing is done for now${why === undefined ? '' : `: ${why}`}`];
};

const outcomeOf = (decisions: readonly Decision[]): Decided['outcome'] => {
  const has = (event: string): boolean => decisions.some((one) => one.event === event);
  if (has('RetryScheduled')) return 'charged';
  return has('NotificationScheduled') ? 'mailed' : 'neither';
};

const report = async (
  client: Client,
  { ref, failure, amount = 4_900, fingerprint }: Report,
): Promise<string> => {
  const { recovery_id } = await client.write<{ recovery_id: string }>('POST', '/v1/events/payment_failed', {
    transaction_ref: ref,
    amount,
    currency: 'EUR',
    customer: { email: `${ref.toLowerCase()}@example.com`, name: 'Robin Roe' },
    gateway: 'sandbox',
    failure,
    payment_method: { fingerprint: fingerprint ?? `card-${ref.toLowerCase()}` },
  });
  return recovery_id;
};

const read = async (client: Client, { title, failure }: Report, recoveryId: string): Promise<Decided> => {
  const codes = new URLSearchParams(failure).toString();
  const [{ category, meaning }, { decisions }] = await Promise.all([
    client.get<{ category: string; meaning: string }>(`/v1/declines/classify?${codes}`),
    client.get<{ decisions: readonly Decision[] }>(`/v1/recoveries/${recoveryId}/explanation`),
  ]);
  const [steps, outcome] = [stepsOf(decisions), outcomeOf(decisions)];
  return { title, recovery_id: recoveryId, category, meaning, steps, outcome };
};

const everyKind: readonly Report[] = kinds.map((kind, index) => ({
  ...kind,
  ref: `KIND-${index + 1}`,
}));

const kindOf = (category: string): Kind => kinds.find((kind) => kind.category === category) as Kind;
const broke = kindOf('insufficient_funds');
const LARGE = 89_000;
/** Later than a retry for want of money would come by itself, and near enough for it to wait. */
const PAYDAY_IN = 5 * DAY;
const large = { ...broke, title: 'no money for €890.00', amount: LARGE };
const before: Report = { ...large, title: `${large.title}, before there is the rule`, ref: 'LARGE-1' };
const after: Report = { ...large, title: `${large.title}, now that there is`, ref: 'LARGE-2' };
const sharing = { fingerprint: 'card-shared' };
const stolen: Report = {
  ...kindOf('lost_stolen_fraud'),
  ...sharing,
  title: 'one payment: stolen card',
  ref: 'SHARED-1',
};
const second: Report = {
  ...broke,
  ...sharing,
  title: 'another payment, a moment later: no money',
  ref: 'SHARED-2',
};

/** Takes them in under a policy and a rule of their own, and reads why each was decided as it was. */
export const showcase = async (client: Client, system: DemoSystem): Promise<Showcase> => {
  const take = async (...reports: readonly Report[]): Promise<readonly Decided[]> => {
    const ids: string[] = [];
    for (const one of reports) ids.push(await report(client, one));
    await system.settled();
    return Promise.all(reports.map((one, index) => read(client, one, ids[index] ?? '')));
  };
  const payday = new Date(system.now().getTime() + PAYDAY_IN).getUTCDate();
  await client.write('PUT', '/v1/retry/policies/active', policyWith(payday));
  const taken = await take(...everyKind, before, stolen);
  const [without, first] = taken.slice(everyKind.length) as [Decided, Decided];
  await client.write('POST', '/v1/rules', rule);
  const [withRule, next] = (await take(after, second)) as [Decided, Decided];
  return {
    payday,
    kinds: taken.slice(0, everyKind.length),
    rule: { name: rule.name, without, with: withRule },
    shared_card: [first, next],
  };
};
