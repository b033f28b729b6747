import type { Decided, Showcase } from './decided.js';
import { type Screen, shorten, wrap } from './screen.js';

const LABEL = 26;
const WIDTH = 100;

/** A label, and beside it texts, each of which goes on below itself. */
const block = (screen: Screen, label: string, texts: readonly string[]): void => {
  const width = Math.min(screen.columns, WIDTH) - LABEL;
  const lines = texts.flatMap((text) => wrap(text, width, text.startsWith('- ') ? 2 : 0));
  lines.forEach((line, index) => screen.verbatim((index === 0 ? `  ${label}` : '').padEnd(LABEL) + line));
};

const stepsOf = ({ steps }: Decided): readonly string[] => steps.map((step) => `- ${shorten(step)}`);

const groups: readonly (readonly [Decided['outcome'], string])[] = [
  ['charged', 'The same card is charged again'],
  ['mailed', 'Only the customer can help: a mail with a payment link'],
  ['neither', 'Neither charged nor mailed'],
];

const showKinds = (screen: Screen, kinds: readonly Decided[]): void => {
  for (const [outcome, title] of groups) {
    screen.line();
    screen.line(` ${title}`);
    for (const one of kinds.filter((each) => each.outcome === outcome))
      block(screen, one.title, [one.meaning, ...stepsOf(one)]);
  }
};

const showCase = (screen: Screen, one: Decided): void => {
  screen.line(`  ${one.title}`);
  block(screen, '', stepsOf(one));
};

/** Why each kind of failure is handled as it is. */
export const showDecided = (screen: Screen, { payday, kinds, rule, shared_card }: Showcase): void => {
  screen.line();
  screen.heading('A failure of every kind, what is decided, and why');
  const words =
    `  policy      waits by kind; payday is day ${payday} of the month; charges from 9 to 18 o'clock and no mail ` +
    'from 21 to 8, by the clock of the customers, in Berlin (all times here are UTC)';
  wrap(words, Math.min(screen.columns, WIDTH), 14).forEach((line) => screen.verbatim(line));
  showKinds(screen, kinds);
  screen.line();
  screen.heading(`A rule of the merchant's own: "${rule.name}"`);
  [rule.without, rule.with].forEach((one) => showCase(screen, one));
  screen.line();
  screen.heading('Two payments of one card');
  shared_card.forEach((one) => showCase(screen, one));
};
