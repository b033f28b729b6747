import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { errorPage, notFoundPage, paymentPage, pendingPage, thanksPage } from './customerPages.js';
import { pageCsp } from './layout.js';
import { sandboxCheckoutPage } from './sandboxPages.js';

const evil = `"><script>alert(1)</script>'&`;
const debt = { merchantName: 'Acme', amount: 4900, currency: 'EUR', token: 'tok_1', state: 'open' } as const;
const checkout = {
  session: 'cs_1',
  amount: 500,
  currency: 'JPY',
  transactionRef: 'o-1',
  state: 'open',
} as const;

describe('customer pages', () => {
  it('show the debt and one button that posts', () => {
    const page = paymentPage(debt);
    expect(page).to.contain('Acme').and.contain('€49.00');
    expect(page).to.contain('<form method="post" action="/r/tok_1/pay">');
    expect(page.match(/<button/g)).to.have.length(1);
  });

  it('show no button when there is nothing to pay', () => {
    for (const page of [
      paymentPage({ ...debt, state: 'paid' }),
      paymentPage({ ...debt, state: 'closed' }),
      thanksPage(debt),
      pendingPage('Acme'),
      notFoundPage(),
      errorPage(),
      sandboxCheckoutPage({ ...checkout, state: 'paid' }),
      sandboxCheckoutPage({ ...checkout, state: 'expired' }),
    ])
      expect(page).to.not.contain('<button').and.not.contain('<form');
  });

  it('let the sandbox be paid or declined', () => {
    const page = sandboxCheckoutPage({ ...checkout, declined: true });
    expect(page)
      .to.contain('action="/sandbox/checkout/cs_1"')
      .and.contain('¥500')
      .and.contain('was declined');
    expect(page).to.contain('name="choice" value="pay"').and.contain('name="choice" value="decline"');
  });

  it('escape everything', () => {
    for (const page of [
      paymentPage({ ...debt, merchantName: evil, token: evil, problem: evil }),
      paymentPage({ ...debt, merchantName: evil, state: 'closed' }),
      paymentPage({ ...debt, merchantName: evil, state: 'paid' }),
      pendingPage(evil),
      sandboxCheckoutPage({ ...checkout, session: evil, transactionRef: evil }),
    ]) {
      expect(page).to.not.contain('<script');
      expect(page).to.contain('&lt;script&gt;');
    }
  });

  it('need nothing from outside, and their style is the one the policy allows', () => {
    const page = paymentPage(debt);
    expect(page).to.not.match(/(src|href)=|@import|url\(/);
    const style = /<style>([\s\S]*)<\/style>/.exec(page)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(pageCsp).to.contain(`style-src 'sha256-${hash}'`);
  });
});
