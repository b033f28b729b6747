import type { Recorded, RecordedEvent } from '../../events/envelope.js';
import type { EventStore } from '../../events/eventStore.js';
import {
  type Evidence,
  type Explanation,
  type RecoveryEvent,
  recoveryStream,
} from '../../events/recovery.js';
import { upcast } from '../../events/registry.js';
import type { Instant } from '../../kernel/clock.js';
import type { Actor } from '../../kernel/principal.js';
import { inWords } from './evidence.js';
import { summaryOf } from './summary.js';

export interface Decision {
  readonly position: string;
  readonly event_id: string;
  readonly event: string;
  readonly occurred_at: Instant;
  readonly recorded_at: Instant;
  readonly actor: Actor;
  /** What happened, in words for a merchant. */
  readonly summary: string;
  /** What was chosen, from which candidates, what was rejected and why, by which versions of the rules. */
  readonly explanation: Explanation | null;
  /** The word of the failure that decided its category, and what else was said. */
  readonly evidence: Evidence | null;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface RecoveryExplanation {
  readonly recovery_id: string;
  readonly decisions: readonly Decision[];
}

/** The PSP's free text may name a person: no decision rests on it alone, and the explanation does without. */
const withoutFreeText = (failure: unknown): unknown => {
  const { message: _, ...codes } = failure as { message?: string };
  return codes;
};

const told = (explanation: Explanation): Explanation => ({
  ...explanation,
  evidence: inWords(explanation.evidence),
});

const toDecision = (event: RecordedEvent): Decision => {
  const data = event.data as Record<string, unknown> & { explanation?: Explanation; evidence?: Evidence };
  const { explanation, evidence: recorded, cohort: _, failure, ...details } = data;
  const evidence = recorded ?? explanation?.evidence;
  return {
    position: String(event.position),
    event_id: event.id,
    event: event.type,
    occurred_at: event.metadata.occurred_at,
    recorded_at: event.recorded_at,
    actor: event.metadata.actor,
    summary: summaryOf(event as Recorded<RecoveryEvent>),
    explanation: explanation === undefined ? null : told(explanation),
    evidence: evidence === undefined ? null : inWords(evidence),
    details: failure === undefined ? details : { ...details, failure: withoutFreeText(failure) },
  };
};

/**
 * Everything that was decided about a recovery and why, in order, read from its own stream.
 * @param orgId the organization that asks; undefined for an operator
 * @returns undefined when there is no such recovery, or it is another organization's
 */
export const explainRecovery = async (
  store: EventStore,
  recoveryId: string,
  orgId?: string,
): Promise<RecoveryExplanation | undefined> => {
  const decisions: Decision[] = [];
  for await (const page of store.readStream(recoveryStream(recoveryId))) {
    if (orgId !== undefined && page[0]?.metadata.org_id !== orgId) return undefined;
    decisions.push(...page.map((event) => toDecision(upcast(event))));
  }
  return decisions.length === 0 ? undefined : { recovery_id: recoveryId, decisions };
};
