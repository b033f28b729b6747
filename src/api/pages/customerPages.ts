import { formatMoney } from '../../kernel/money.js';
import { html, Html } from './html.js';
import { mark, page } from './layout.js';

export interface PaymentPage {
  readonly merchantName: string;
  readonly amount: number;
  readonly currency: string;
  readonly token: string;
  readonly state: 'open' | 'paid' | 'closed';
  /** Told above the button, e.g. when the checkout could not be opened. */
  readonly problem?: string;
  readonly locale?: string;
}

const secure = html`<footer>
  You pay on the secure page of the payment provider.<br />We never see your card details.
</footer>`;
const nothing = new Html('');

const openPage = (data: PaymentPage, money: string): string =>
  page(
    `Pay ${data.merchantName}`,
    html`<p class="merchant">${data.merchantName}</p>
      <h1>Open payment</h1>
      <p class="amount">${money}</p>
      <p>
        Your payment did not go through. You can complete it here, with the same or another payment method.
      </p>
      ${data.problem === undefined ? nothing : html`<p class="note" role="alert">${data.problem}</p>`}
      <form method="post" action="/r/${encodeURIComponent(data.token)}/pay">
        <button type="submit">Pay ${money}</button>
      </form>`,
    secure,
  );

/** The page of a recovery link. Nothing on it charges or uses up the link before the button is pressed. */
export const paymentPage = (data: PaymentPage): string => {
  const money = formatMoney(data.amount, data.currency, data.locale);
  if (data.state === 'open') return openPage(data, money);
  if (data.state === 'paid') return thanksPage(data);
  return page(
    'Nothing to pay',
    html`${mark('–', true)}
      <p class="merchant">${data.merchantName}</p>
      <h1>There is nothing to pay here any more</h1>
      <p>This payment has been closed. If you have questions, please contact ${data.merchantName}.</p>`,
  );
};

/** After the payment, and whenever the link of a paid debt is opened. */
export const thanksPage = (
  data: Pick<PaymentPage, 'merchantName' | 'amount' | 'currency' | 'locale'>,
): string =>
  page(
    'Thank you',
    html`${mark('✓')}
      <p class="merchant">${data.merchantName}</p>
      <h1>Thank you, this is paid</h1>
      <p class="amount">${formatMoney(data.amount, data.currency, data.locale)}</p>
      <p>There is nothing left to do. You can close this page.</p>`,
  );

/** The customer came back from the checkout before the PSP's word arrived. */
export const pendingPage = (merchantName: string): string =>
  page(
    'Payment being confirmed',
    html`${mark('…', true)}
      <p class="merchant">${merchantName}</p>
      <h1>Your payment is being confirmed</h1>
      <p>This can take a moment. You need not do anything, and you can close this page.</p>`,
  );

/** One page for expired, malformed and unknown links: it must not tell which. */
export const notFoundPage = (): string =>
  page(
    'Page not found',
    html`${mark('?', true)}
      <h1>This page does not exist</h1>
      <p>The link may have expired or may be incomplete. Please use the newest link you were sent.</p>`,
  );

export const errorPage = (): string =>
  page(
    'Please try again',
    html`${mark('!', true)}
      <h1>That did not work</h1>
      <p>
        The payment page cannot be opened at the moment. You were not charged. Please try again in a few
        minutes.
      </p>`,
  );
