import type { Client } from './client.js';
import type { Taken } from './intake.js';
import { stories } from './stories.js';
import type { DemoSystem } from './system.js';

export interface Figure {
  readonly count: number;
  readonly amount: number;
}

export interface BySource {
  readonly our_retry: Figure;
  readonly link: Figure;
  readonly psp_retry: Figure;
  readonly external: Figure;
}

export interface CurrencyFigures {
  readonly currency: string;
  readonly opened: Figure;
  readonly recovered: Figure;
  readonly lost: Figure;
  readonly cancelled: Figure;
  readonly open: Figure;
  readonly rate_by_count: number | null;
  readonly rate_by_amount: number | null;
  readonly by_source: BySource;
}

export interface Revenue {
  readonly currency: string;
  readonly total: Figure;
  readonly by_source: BySource;
}

export interface Attempts {
  readonly currency: string;
  readonly started: number;
  readonly succeeded: number;
  readonly declined: number;
  readonly unknown: number;
}

export interface Step {
  readonly step: string;
  readonly count: number;
}

export interface Told {
  readonly recovery_id: string;
  readonly transaction_ref: string;
  readonly decisions: readonly { readonly at: string; readonly summary: string }[];
}

/** What the demo ends with. */
export interface Figures {
  readonly from: string;
  readonly to: string;
  readonly taken_in: Taken;
  /** Over all currencies: counts may be added, amounts may not. */
  readonly funnel: readonly Step[];
  readonly recovery_rate: readonly CurrencyFigures[];
  readonly revenue_recovered: readonly Revenue[];
  readonly attempts: readonly Attempts[];
  readonly timeline: Told;
}

interface PerCurrency<T> {
  readonly currencies: readonly T[];
}

interface Decision {
  readonly event: string;
  readonly occurred_at: string;
  readonly summary: string;
}

const addUp = (funnels: PerCurrency<{ readonly steps: readonly Step[] }>): readonly Step[] => {
  const counts = new Map<string, number>();
  for (const { steps } of funnels.currencies)
    for (const { step, count } of steps) counts.set(step, (counts.get(step) ?? 0) + count);
  return [...counts].map(([step, count]) => ({ step, count }));
};

const tell = async (client: Client): Promise<Told> => {
  const ref = stories.find(({ told }) => told)?.ref ?? '';
  const list = await client.get<{ data: readonly { id: string }[] }>(`/v1/recoveries?transaction_ref=${ref}`);
  const id = list.data[0]?.id ?? '';
  const { decisions } = await client.get<{ decisions: readonly Decision[] }>(
    `/v1/recoveries/${id}/explanation`,
  );
  return {
    recovery_id: id,
    transaction_ref: ref,
    decisions: decisions.map(({ occurred_at, summary }) => ({ at: occurred_at, summary })),
  };
};

export const readFigures = async (
  client: Client,
  { start, system, taken }: { readonly start: Date; readonly system: DemoSystem; readonly taken: Taken },
): Promise<Figures> => {
  const [from, to] = [start.toISOString(), system.now().toISOString()];
  const ask = <T>(report: string) =>
    client.get<PerCurrency<T>>(`/v1/analytics/${report}?from=${from.slice(0, 10)}&to=${to.slice(0, 10)}`);
  const [funnel, rate, revenue, attempts, timeline] = await Promise.all([
    ask<{ readonly steps: readonly Step[] }>('funnel'),
    ask<CurrencyFigures>('recovery_rate'),
    ask<Revenue>('revenue_recovered'),
    ask<Attempts>('attempts_summary'),
    tell(client),
  ]);
  return {
    from,
    to,
    taken_in: taken,
    funnel: addUp(funnel),
    recovery_rate: rate.currencies,
    revenue_recovered: revenue.currencies,
    attempts: attempts.currencies,
    timeline,
  };
};
