import { expect } from 'chai';
import fc from 'fast-check';
import { type AlertContent, renderAlert } from './renderAlert.js';
import { whatToDo } from './templates/alert.js';
import { categories } from '../../events/category.js';

const content: AlertContent = {
  merchantName: 'Acme',
  transactionRef: 'inv_1',
  amount: 4900,
  currency: 'EUR',
  reason: 'The refusal is about your own set-up.',
  category: 'merchant_config',
  link: 'https://pay.acme.test/v1/recoveries/7c9e6679',
};
const { category: _, ...byRule } = content;

describe('renderAlert', () => {
  it('says what happened, to which payment, and what to do, in HTML and text', () => {
    const { subject, html, text } = renderAlert(content);
    expect(subject).to.contain('inv_1').and.contain('€49.00');
    for (const part of [html, text]) {
      expect(part).to.contain('inv_1').and.contain('€49.00').and.contain('Acme').and.contain(content.link);
      expect(part).to.contain(content.reason).and.contain(whatToDo.merchant_config);
      expect(part).to.contain('one mail a day').and.contain('how many is not known');
      expect(part).to.not.match(/\{\{|\{%|undefined|null|rule/);
    }
    expect(text).to.not.match(/<[a-z]/i);
  });

  it('names the rule that calls for it', () => {
    for (const part of Object.values(renderAlert({ ...byRule, ruleName: 'big ones', reason: 'call them' })))
      expect(part).to.match(/Your rule "big ones" asks to tell you: call them|needs your attention/);
    expect(renderAlert(byRule).text).to.contain('A rule of yours asks to tell you');
  });

  it('knows what helps where the customer can do nothing', () => {
    const told = ['merchant_config', 'psp_blocked', 'revoked', 'duplicate'];
    for (const category of categories)
      expect(whatToDo[category] !== undefined, category).to.equal(told.includes(category));
  });

  it('keeps names what they are', () => {
    const plain = renderAlert({ ...byRule, ruleName: 'x' });
    const text = fc.string({ unit: 'binary', minLength: 1 });
    fc.assert(
      fc.property(text, text, text, text, (merchantName, transactionRef, reason, ruleName) => {
        const names = { merchantName, transactionRef, reason, ruleName: `x${ruleName}` };
        const mail = renderAlert({ ...byRule, ...names });
        expect(mail.subject).to.not.match(/[\r\n\0]/);
        expect(mail.text.split('\n')).to.have.length(plain.text.split('\n').length);
        expect(mail.html.match(/<[a-z]/gi)).to.deep.equal(plain.html.match(/<[a-z]/gi));
      }),
    );
    const evil = '<script>alert(1)</script>{{ link }}';
    const { html } = renderAlert({ ...byRule, ruleName: evil, reason: evil, transactionRef: evil });
    expect(html).to.contain('&lt;script&gt;').and.contain('{{ link }}').and.not.contain('<script>');
  });

  it('refuses a link that is none', () =>
    expect(() => renderAlert({ ...content, link: 'javascript:alert(1)' })).to.throw('no web address'));
});
