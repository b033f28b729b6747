import type { RecoveryEvent } from '../../src/events/recovery.js';
import { type Instant, MINUTE, plus } from '../../src/kernel/clock.js';
import type { RecoveryId } from '../../src/kernel/ids.js';

export type Bare<E> = E extends { type: infer T; data: infer D }
  ? { type: T; data: Omit<D, 'cohort'> }
  : never;

/** The clock, the chance and the log of the history that it is a part of. */
export interface Teller {
  readonly now: Instant;
  until(at: Instant): void;
  wait(ms: number): void;
  chance(p: number): boolean;
  emit(event: Bare<RecoveryEvent>): void;
}

/** What a recovery tells the merchant, as the system itself would. */
export class AlertHistory {
  private readonly due = new Map<string, Instant>();

  constructor(
    private readonly ref: string,
    private readonly recoveryId: RecoveryId,
    private readonly teller: Teller,
  ) {}

  escalate(openedAt: Instant): void {
    const { teller } = this;
    for (const cause of teller.chance(0.3) ? ['psp_blocked', 'rule-1'] : ['psp_blocked']) {
      this.due.set(cause, openedAt);
      // Older logs do not tell when.
      const when = teller.chance(0.5) ? { escalated_at: teller.now } : {};
      teller.emit({ type: 'RecoveryEscalated', data: { cause, reason: 'review it there', ...when } });
    }
    if (teller.chance(0.5)) this.tell();
  }

  /** By this recovery or another; or the merchant cannot be told yet, or at all. */
  tell(): void {
    for (const [cause, at] of this.due) {
      this.teller.until(at);
      if (this.teller.chance(0.2)) this.skip(cause);
      else this.start(cause);
    }
  }

  private skip(cause: string): void {
    this.due.delete(cause);
    const data = { cause, by_recovery: this.recoveryId, skipped_at: this.teller.now };
    this.teller.emit({ type: 'MerchantAlertSkipped', data });
  }

  private start(cause: string): void {
    const { teller } = this;
    const message_id = `<alert.${this.ref}.${cause}@example.com>`;
    const started_at = teller.now;
    teller.emit({ type: 'MerchantAlertStarted', data: { cause, message_id, started_at } });
    this.due.set(cause, plus(started_at, MINUTE));
    if (teller.chance(0.1)) return;
    teller.wait(700);
    if (teller.chance(0.3)) return this.fail(cause);
    this.due.delete(cause);
    teller.emit({ type: 'MerchantAlertSent', data: { cause, message_id, sent_at: teller.now } });
  }

  private fail(cause: string): void {
    const { teller } = this;
    const permanent = teller.chance(0.4);
    const retry_at = plus(teller.now, 5 * MINUTE);
    if (permanent) this.due.delete(cause);
    else this.due.set(cause, retry_at);
    const later = permanent ? {} : { retry_at };
    teller.emit({ type: 'MerchantAlertFailed', data: { cause, permanent, reason: 'no', ...later } });
  }
}
