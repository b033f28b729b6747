import { type MailTemplate, mailTemplates } from '../../events/mail.js';
import type { Category } from '../../events/recovery.js';
import { formatMoney } from '../../kernel/money.js';
import { assertWebAddress, escaping, line, plain, worded } from './liquid.js';
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

const parsedHtml = escaping.parse(htmlLayout);
const parsedText = plain.parse(textLayout);

const templateOf = (name: string): MailTemplate =>
  mailTemplates.find((template) => template === name) ?? 'payment_failed';

/** The mail in HTML and text. Throws only when a template of ours is broken, or the link is no web address. */
export const renderMail = (content: MailContent): RenderedMail => {
  assertWebAddress(content.link);
  const names = {
    merchant_name: line(content.merchantName),
    money: formatMoney(content.amount, content.currency, content.locale),
  };
  const words = worded({ ...wordings[templateOf(content.template)] }, names);
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
