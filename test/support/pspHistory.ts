import type { PaymentEvent } from '../../src/events/payment.js';
import { DAY, MINUTE, plus } from '../../src/kernel/clock.js';
import type { Teller } from './alertHistory.js';

export interface PspTeller extends Teller {
  readonly status: string;
  pay(event: PaymentEvent): void;
}

/** The PSP's own retries, as the system itself would tell of them. */
export class PspHistory {
  retries: 'watched' | 'to_stop' | undefined;
  private checks = 0;

  constructor(
    private readonly ref: string,
    private readonly teller: PspTeller,
  ) {}

  begin(): { psp_retries?: 'watch' | 'take_over' } {
    if (this.teller.chance(0.8)) return {};
    this.retries = this.teller.chance(0.5) ? 'watched' : 'to_stop';
    return { psp_retries: this.retries === 'watched' ? 'watch' : 'take_over' };
  }

  stop(): void {
    const { teller } = this;
    if (this.retries !== 'to_stop' || teller.status !== 'active' || teller.chance(0.1)) return;
    if (teller.chance(0.3)) {
      this.checks += 1;
      const check_at = plus(teller.now, this.checks * MINUTE);
      const data = { reason: 'timeout', check: this.checks, check_at };
      teller.emit({ type: 'PspRetriesUndecided', data });
      return;
    }
    this.retries = teller.chance(0.8) ? undefined : 'watched';
    if (this.retries === 'watched') teller.emit({ type: 'PspRetriesLeft', data: { reason: 'no_invoice' } });
    else teller.emit({ type: 'PspRetriesStopped', data: { stopped_at: teller.now } });
  }

  find(): void {
    const { teller, ref } = this;
    this.retries = teller.chance(0.5) ? 'watched' : 'to_stop';
    const mode = this.retries === 'watched' ? 'watch' : 'take_over';
    teller.pay({
      type: 'PspRetriesAnnounced',
      data: { transaction_ref: ref, next_at: plus(teller.now, DAY) },
    });
    teller.emit({ type: 'PspRetriesFound', data: { found_at: teller.now, mode } });
  }

  goOn(): void {
    const { teller, ref } = this;
    this.stop();
    if (this.retries !== 'watched' || teller.status !== 'active') return;
    this.retries = undefined;
    teller.pay({ type: 'PspRetriesAnnounced', data: { transaction_ref: ref } });
    teller.emit({ type: 'PspRetriesEnded', data: { ended_at: teller.now } });
  }

  mayGiveUp(): { psp_gave_up?: true } {
    return this.retries === 'watched' && this.teller.chance(0.5) ? { psp_gave_up: true } : {};
  }
}
