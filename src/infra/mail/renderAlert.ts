import type { Category } from '../../events/recovery.js';
import { formatMoney } from '../../kernel/money.js';
import { assertWebAddress, escaping, line, plain, worded } from './liquid.js';
import type { RenderedMail } from './renderMail.js';
import { alertHtml, alertText, alertWording, whatToDo } from './templates/alert.js';

/** What a mail to the merchant tells: nothing of the customer but what the merchant calls the payment. */
export interface AlertContent {
  readonly merchantName: string;
  readonly transactionRef: string;
  readonly amount: number;
  readonly currency: string;
  /** What happened, in a sentence. */
  readonly reason: string;
  /** Absent where a rule calls for the mail. */
  readonly category?: Category;
  readonly ruleName?: string;
  /** Where the API tells more. */
  readonly link: string;
}

const parsedHtml = escaping.parse(alertHtml);
const parsedText = plain.parse(alertText);

/** The mail in HTML and text. Throws only when a template of ours is broken, or the link is no web address. */
export const renderAlert = (content: AlertContent): RenderedMail => {
  assertWebAddress(content.link);
  const names = {
    merchant_name: line(content.merchantName),
    reference: line(content.transactionRef),
    money: formatMoney(content.amount, content.currency),
  };
  const words = worded(alertWording, names);
  const scope = {
    ...names,
    ...words,
    reason: line(content.reason),
    rule: line(content.ruleName ?? ''),
    by_rule: content.category === undefined,
    request: (content.category && whatToDo[content.category]) ?? '',
    link: content.link,
  };
  return {
    subject: words['subject'] ?? '',
    html: escaping.renderSync(parsedHtml, scope) as string,
    text: plain.renderSync(parsedText, scope) as string,
  };
};
