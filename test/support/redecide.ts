import type { Payment } from '../../src/commands/payment/state.js';
import { attemptsBy, namesOf } from '../../src/commands/credential/attempts.js';
import { credentialDecider } from '../../src/commands/credential/decide.js';
import { networkLimits } from '../../src/commands/credential/networkLimits.js';
import { absent } from '../../src/commands/handle.js';
import { paymentDecider } from '../../src/commands/payment/decide.js';
import { recoveryDecider } from '../../src/commands/recovery/decide.js';
import type { Guidance } from '../../src/commands/recovery/guidance.js';
import { andNext, type Explained } from '../../src/commands/recovery/outcome.js';
import { circumstancesOf } from '../../src/commands/recovery/readGuidance.js';
import { initialState, type Recovery } from '../../src/commands/recovery/state.js';
import { rulesAtVersion } from '../../src/commands/rules/reader.js';
import { credentialStream } from '../../src/events/credential.js';
import type { RecordedEvent } from '../../src/events/envelope.js';
import type { EventStore } from '../../src/events/eventStore.js';
import { paymentStream } from '../../src/events/payment.js';
import type { Explanation, RecoveryEvent } from '../../src/events/recovery.js';
import type { Decider } from '../../src/kernel/decider.js';
import type { OrgId } from '../../src/kernel/ids.js';
import type { Message } from '../../src/kernel/message.js';
import { unguided } from './recoverySamples.js';

/** Reads a stream up to a revision: as whoever decided saw it. */
const asOf = async <S, E extends Message>(
  store: EventStore,
  decider: Pick<Decider<S, never, E>, 'initialState' | 'evolve'>,
  stream: string,
  revision: number,
): Promise<S> => {
  let state = decider.initialState;
  for await (const page of store.readStream(stream))
    for (const event of page)
      if (event.revision <= BigInt(revision)) state = decider.evolve(state, event as unknown as E);
  return state;
};

const failureOf = (payment: Payment) => {
  if (payment.status === 'unknown' || payment.last === undefined) throw new Error('it has not failed');
  return payment.last;
};

/** What a decision heeded, from what its explanation says that it read. */
export const guidanceAgain = async (
  store: EventStore,
  org: OrgId,
  paymentId: string,
  { read_at = {}, rules_version, limits_version }: Explanation,
): Promise<Guidance> => {
  const { payment: paymentAt = -1, credential = -1, method } = read_at;
  const payment = await asOf(store, paymentDecider, paymentStream(paymentId), paymentAt);
  const last = failureOf(payment);
  const names = namesOf(org, last);
  const methodId = method === undefined ? undefined : (names.also ?? names.id);
  const ledgerAsOf = async (id: string) => {
    const revision = id === methodId ? method : credential;
    const state = await asOf(store, credentialDecider, credentialStream(id), revision ?? -1);
    return { ...absent(credentialDecider), state };
  };
  const rules = await rulesAtVersion(store, org, rules_version);
  const limits = networkLimits.find(({ version }) => version === limits_version);
  if (rules === undefined || limits === undefined) throw new Error('a version that there never was');
  return {
    rules,
    limits,
    ledger: (await attemptsBy(ledgerAsOf, names)).ledger.state,
    circumstances: circumstancesOf(last),
    ...(payment.status === 'succeeded' && { paid: true }),
    readAt: { payment: paymentAt, credential, ...(method !== undefined && { method }) },
  };
};

const explanationIn = (events: readonly RecoveryEvent[]): Explanation | undefined =>
  events.flatMap(({ data }) => ('explanation' in data && data.explanation ? [data.explanation] : []))[0];

/** Without what the decision wrote into the event itself. */
const bare = (event: RecoveryEvent): RecoveryEvent => {
  const { explanation: _, ...data } = event.data as { explanation?: Explanation };
  return { type: event.type, data } as RecoveryEvent;
};

/** What a failure told of the PSP's own retries is decided with it. */
const isOfPsp = ({ type }: RecoveryEvent): boolean => type.startsWith('PspRetries');

interface Decision {
  readonly before: Recovery;
  readonly events: readonly RecoveryEvent[];
  readonly at: string;
}

/** The events of one command are one decision. */
export const decisionsIn = (log: readonly RecordedEvent[]): readonly Decision[] => {
  const decisions: Decision[] = [];
  let state: Recovery = initialState;
  let start = 0;
  log.forEach((event, index) => {
    if (log[index + 1]?.metadata.command_id === event.metadata.command_id) return;
    const events = log.slice(start, index + 1).map(({ type, data }) => ({ type, data }) as RecoveryEvent);
    decisions.push({ before: state, events, at: event.metadata.occurred_at });
    state = events.reduce(recoveryDecider.evolve, state);
    start = index + 1;
  });
  return decisions;
};

/** Takes a decision again, from the log alone; undefined where nothing beside the recovery itself decided. */
export const decideAgain = async (
  store: EventStore,
  org: OrgId,
  paymentId: string,
  { before, events, at }: Decision,
): Promise<readonly RecoveryEvent[] | undefined> => {
  const explanation = explanationIn(events);
  const [first] = events;
  if (explanation === undefined || first === undefined) return undefined;
  if (first.type === 'RetryUnresolved') {
    const { attempt, reason } = first.data;
    const outcome = { status: 'unknown', reason } as const;
    const data = { attempt, outcome, guidance: unguided, now: at };
    return recoveryDecider.decide({ type: 'SettleRetry', data }, before);
  }
  if (explanation.read_at === undefined)
    return recoveryDecider.decide({ type: 'CloseRecovery', data: { now: at } }, before);
  const guidance = await guidanceAgain(store, org, paymentId, explanation);
  if (first.type === 'NotificationScheduled' || first.type === 'NotificationDropped') {
    if (before.status === 'none') throw new Error('it never began');
    const data = { step: first.data.step, messageId: '', guidance, now: at };
    return recoveryDecider.decide({ type: 'StartNotification', data }, before);
  }
  const facts = events.slice(0, 1 + Math.max(0, events.findLastIndex(isOfPsp)));
  const last = facts.pop() as Explained;
  const known = facts.reduce(recoveryDecider.evolve, before);
  return [...facts, ...andNext(known, bare(last) as Explained, at, guidance)];
};
