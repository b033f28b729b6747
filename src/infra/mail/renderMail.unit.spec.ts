import { expect } from 'chai';
import fc from 'fast-check';
import { mailTemplates } from '../../events/mail.js';
import { categories } from '../../events/recovery.js';
import { type MailContent, renderMail } from './renderMail.js';

const content: MailContent = {
  template: 'payment_failed',
  merchantName: 'Acme',
  amount: 4900,
  currency: 'EUR',
  link: 'https://pay.acme.test/r/token',
};

describe('renderMail', () => {
  for (const template of mailTemplates)
    it(`writes ${template} in HTML and text`, () => {
      const { subject, html, text } = renderMail({ ...content, template, customerName: 'Jane' });
      expect(subject).to.contain('Acme');
      for (const part of [html, text]) {
        expect(part).to.contain('€49.00').and.contain(content.link).and.contain('Hello Jane,');
        expect(part).to.not.match(/\{\{|\{%|undefined|null/);
      }
      expect(text).to.not.match(/<[a-z]/i);
    });

  it('writes amounts with the decimals of the currency', () => {
    expect(renderMail({ ...content, currency: 'JPY' }).text).to.contain('¥4,900');
    expect(renderMail({ ...content, currency: 'KWD' }).text).to.match(/KWD\s4\.900/);
    expect(renderMail({ ...content, locale: 'de' }).text).to.match(/49,00\s€/);
  });

  it('never tells why a card is blocked', () => {
    const silent = [
      'lost_stolen_fraud',
      'psp_blocked',
      'issuer_risk',
      'not_permitted',
      'revoked',
      'unknown',
    ] as const;
    for (const template of mailTemplates) {
      const neutral = renderMail({ ...content, template });
      for (const category of silent)
        expect(renderMail({ ...content, template, category })).to.deep.equal(neutral);
      for (const category of categories) {
        const { subject, html, text } = renderMail({ ...content, template, category });
        expect(`${subject} ${html} ${text}`).to.not.match(
          /lost|stolen|fraud|pick.?up|restrict|blacklist|blocked|suspicious|declined/i,
        );
      }
    }
  });

  it('tells what helps', () => {
    expect(renderMail({ ...content, category: 'insufficient_funds' }).text).to.contain('check your balance');
  });

  it('keeps names what they are', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary' }),
        (merchantName, customerName) => {
          const { subject, html, text } = renderMail({ ...content, merchantName, customerName });
          expect(subject).to.not.match(/[\r\n\0]/);
          expect(text.split('\n')).to.have.length(renderMail(content).text.split('\n').length);
          expect(html.match(/<[a-z]/gi)).to.deep.equal(renderMail(content).html.match(/<[a-z]/gi));
        },
      ),
    );
    const evil = '<script>alert(1)</script>{{ link }}';
    const { html, text } = renderMail({ ...content, merchantName: evil });
    expect(html).to.contain('&lt;script&gt;').and.contain('{{ link }}').and.not.contain('<script>');
    expect(text).to.contain('{{ link }}');
  });

  it('refuses a link that is none', () => {
    for (const link of ['javascript:alert(1)', 'https://x.test/"onclick', ''])
      expect(() => renderMail({ ...content, link })).to.throw('no web address');
  });
});
