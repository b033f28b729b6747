import { expect } from 'chai';
import { recoveryOf, storeOf } from '../../../test/support/declines/history.js';
import { orgIdOf } from '../../kernel/ids.js';
import type { Failure } from '../../kernel/ports.js';
import { explainRecovery } from './explanation.js';

describe('the explanation of a recovery', () => {
  const org = orgIdOf('acme');
  const explained = async (failure: Failure, at: string) => {
    const payment = { org, ref: 'one', at, failures: [failure] };
    const { decisions } = (await explainRecovery(await storeOf([payment]), recoveryOf(payment))) ?? {};
    return decisions?.[0] ?? expect.fail('nothing is explained');
  };

  const found: readonly [Failure, string][] = [
    [{ message: 'This card was reported stolen' }, 'lost stolen fraud (by its message: lost or stolen)'],
    [{ message: 'declined: `stolen_card`' }, 'lost stolen fraud (by its message: stolen_card)'],
    [{ network_code: '51' }, 'insufficient funds (network code 51)'],
    [{ message: 'hm' }, 'unknown (no code was recognised)'],
  ];
  for (const [failure, words] of found)
    it(`says ${words}`, async () =>
      expect((await explained(failure, '2026-12-01T10:00:00.000Z')).summary).to.contain(words));

  it('shows nobody the pattern that the first tables recorded', async () => {
    const { summary, evidence } = await explained({ message: 'A lost card' }, '2026-11-25T10:00:00.000Z');
    expect(summary).to.contain('lost stolen fraud (by its message);');
    expect(evidence).to.include({ step: 'message', table_version: '2026-11-24' });
    expect(evidence).to.not.have.property('value');
  });
});
