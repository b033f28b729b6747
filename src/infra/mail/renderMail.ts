import { Liquid } from 'liquidjs';
import { type MailTemplate, mailTemplates } from '../../events/mail.js';
import type { Category } from '../../events/recovery.js';
import { formatMoney } from '../../kernel/money.js';
import { htmlLayout, textLayout } from './templates/layout.js';
import { reasons, wordings } from './templates/wording.js';

export interface MailContent {
  /** An unknown name gets the wording of `payment_failed`. */
  readonly template: string;
  readonly merchantName: string;
  readonly amount: number;
  readonly currency: string;
  readonly link: string;
  readonly customerName?: string;
  readonly category?: Category;
  /** BCP 47, for the amount; the words are English. */
  readonly locale?: string;
}

export interface RenderedMail {
  readonly subject: string;
  readonly html: string;
  readonly text: string;
}

/** Templates see their own data only, read no files, and cannot run away. */
const limits = {
  ownPropertyOnly: true,
  strictVariables: true,
  strictFilters: true,
  templates: {},
  parseLimit: 100_000,
  renderLimit: 500,
  memoryLimit: 1_000_000,
} as const;
const plain = new Liquid(limits);
const escaping = new Liquid({ ...limits, outputEscape: 'escape' });
const parsedHtml = escaping.parse(htmlLayout);
const parsedText = plain.parse(textLayout);

/** One line without control characters or invisible direction marks, so that a name stays a name. */
const line = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .trim()
    .slice(0, 200);

const templateOf = (name: string): MailTemplate =>
  mailTemplates.find((template) => template === name) ?? 'payment_failed';

/** The mail in HTML and text. Throws only when a template of ours is broken, or the link is no web address. */
export const renderMail = (content: MailContent): RenderedMail => {
  if (!/^https?:\/\/[^\s<>"']+$/.test(content.link)) throw new Error('the link is no web address');
  const names = {
    merchant_name: line(content.merchantName),
    money: formatMoney(content.amount, content.currency, content.locale),
  };
  const words = Object.fromEntries(
    Object.entries(wordings[templateOf(content.template)]).map(([part, liquid]) => [
      part,
      plain.parseAndRenderSync(liquid, names) as string,
    ]),
  );
  const customer = line(content.customerName ?? '');
  const scope = {
    ...names,
    ...words,
    greeting: customer === '' ? 'Hello,' : `Hello ${customer},`,
    reason: (content.category && reasons[content.category]) ?? '',
    link: content.link,
  };
  return {
    subject: words['subject'] ?? '',
    html: escaping.renderSync(parsedHtml, scope) as string,
    text: plain.renderSync(parsedText, scope) as string,
  };
};
