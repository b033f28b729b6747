import { formatMoney } from '../kernel/money.js';
import type { Attempts, CurrencyFigures, Figures, Revenue, Told } from './figures.js';
import { type Screen, shorten } from './screen.js';

const FUNNEL_WORDS: Readonly<Record<string, string>> = {
  opened: 'recoveries opened',
  attempted: 'card charged again',
  notified: 'customer mailed',
  link_opened: 'link opened',
  checkout_opened: 'checkout opened',
  recovered: 'recovered',
};

const percent = (rate: number | null): string => (rate === null ? '-' : `${Math.round(rate * 100)} %`);

const showFunnel = (screen: Screen, { funnel }: Figures): void => {
  screen.heading('Funnel');
  const most = Math.max(...funnel.map(({ count }) => count), 1);
  const room = Math.min(screen.columns - 36, 60);
  for (const { step, count } of funnel) {
    const bar = '█'.repeat(Math.round((count / most) * room));
    const share = percent(count / most).padStart(6);
    screen.line(`  ${(FUNNEL_WORDS[step] ?? step).padEnd(20)}${String(count).padStart(4)}${share}  ${bar}`);
  }
};

/** Right-aligned columns, the first one left-aligned. */
const showTable = (screen: Screen, rows: readonly (readonly string[])[]): void => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    screen.line(`  ${cells.join('  ').trimEnd()}`);
  }
};

const rateRow = (one: CurrencyFigures): readonly string[] => {
  const { currency, opened, recovered, lost, cancelled } = one;
  const money = (figure: { amount: number }) => formatMoney(figure.amount, currency);
  const rates = [percent(one.rate_by_count), percent(one.rate_by_amount)];
  return [
    currency,
    `${opened.count}`,
    money(opened),
    `${recovered.count}`,
    ...rates,
    `${lost.count + cancelled.count}`,
  ];
};

const revenueRow = ({ currency, total, by_source }: Revenue): readonly string[] => {
  const { our_retry, link, psp_retry, external } = by_source;
  return [
    currency,
    ...[total, our_retry, link, psp_retry, external].map(({ amount }) => formatMoney(amount, currency)),
  ];
};

const showAttempts = (screen: Screen, all: readonly Attempts[]): void => {
  const sum = (of: (one: Attempts) => number): number => all.reduce((total, one) => total + of(one), 0);
  const [started, succeeded, unknown] = [
    sum((a) => a.started),
    sum((a) => a.succeeded),
    sum((a) => a.unknown),
  ];
  screen.line(
    `  ${started} charges tried, ${succeeded} went through; ${unknown} answers were lost and asked for again`,
  );
};

const showTimeline = (screen: Screen, { transaction_ref, decisions }: Told): void => {
  screen.heading(`What happened to ${transaction_ref}, and why`);
  for (const { at, summary } of decisions) screen.paragraph(`  ${shorten(at)}  ${shorten(summary)}`, 20);
};

export const showFigures = (screen: Screen, figures: Figures): void => {
  screen.line();
  showFunnel(screen, figures);
  screen.line();
  screen.heading('Recovery rate');
  const rateHead = ['', 'opened', 'amount', 'recovered', 'rate', 'by amount', 'not recovered'];
  showTable(screen, [rateHead, ...figures.recovery_rate.map(rateRow)]);
  showAttempts(screen, figures.attempts);
  screen.line();
  screen.heading('Recovered revenue, by what brought it in');
  const revenueHead = ['', 'recovered', 'our retry', 'mailed link', 'PSP retry', 'elsewhere'];
  showTable(screen, [revenueHead, ...figures.revenue_recovered.map(revenueRow)]);
  screen.line();
  showTimeline(screen, figures.timeline);
};
