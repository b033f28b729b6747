import { formatMoney } from '../../kernel/money.js';
import { html, Html } from './html.js';
import { mark, page } from './layout.js';

export interface SandboxCheckoutPage {
  readonly session: string;
  readonly amount: number;
  readonly currency: string;
  readonly transactionRef: string;
  readonly state: 'open' | 'paid' | 'expired';
  /** The decline button was pressed. */
  readonly declined?: boolean;
}

const testNotice = html`<footer>Sandbox: no money moves.</footer>`;

/** The sandbox PSP's checkout: two buttons that POST `choice` to the page's own address. */
export const sandboxCheckoutPage = (data: SandboxCheckoutPage): string => {
  const money = formatMoney(data.amount, data.currency);
  if (data.state !== 'open')
    return page(
      'Sandbox checkout',
      html`${mark(data.state === 'paid' ? '✓' : '–', data.state !== 'paid')}
        <h1>${data.state === 'paid' ? 'This checkout is paid' : 'This checkout has expired'}</h1>
        <p class="amount">${money}</p>`,
      testNotice,
    );
  const declined = html`<p class="note" role="alert">The card was declined. You can try again.</p>`;
  return page(
    'Sandbox checkout',
    html`<p class="merchant">Sandbox checkout</p>
      <h1>Payment ${data.transactionRef}</h1>
      <p class="amount">${money}</p>
      ${data.declined === true ? declined : new Html('')}
      <form method="post" action="/sandbox/checkout/${encodeURIComponent(data.session)}">
        <button type="submit" name="choice" value="pay">Pay ${money}</button>
        <button type="submit" name="choice" value="decline" class="quiet">Decline the card</button>
      </form>`,
    testNotice,
  );
};
