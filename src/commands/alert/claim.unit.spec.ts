import { expect } from 'chai';
import { given } from '../../../test/support/spec.js';
import { MemoryEventStore } from '../../infra/eventStore/memoryEventStore.js';
import { deriveId, type OrgId } from '../../kernel/ids.js';
import { alertDecider, claimAlert, type ClaimAlert } from './claim.js';

const [ONE, OTHER] = [deriveId('one'), deriveId('other')];
const now = '2026-03-01T23:59:59.999Z';
const claim = (recoveryId: string): ClaimAlert => ({
  type: 'ClaimAlert',
  data: { cause: 'psp_blocked', day: '2026-03-01', recoveryId, now },
});
const claimed = {
  type: 'AlertClaimed',
  data: { cause: 'psp_blocked', day: '2026-03-01', recovery_id: ONE, claimed_at: now },
} as const;

describe('telling the merchant of a cause on a day', () => {
  it('falls to the first that asks', () => {
    given(alertDecider).when(claim(ONE)).then(claimed);
    given(alertDecider, claimed).when(claim(ONE)).thenNothing();
    given(alertDecider, claimed).when(claim(OTHER)).thenNothing();
  });

  const store = new MemoryEventStore();
  let serial = 0;
  const ask = (recoveryId: string, over: { org?: string; cause?: string; at?: string } = {}) => {
    const { org = 'acme', cause = 'psp_blocked', at = now } = over;
    const id = deriveId('claim', String(++serial));
    const principal = { actor: { type: 'system', id: 'test' }, orgId: deriveId(org) as OrgId } as const;
    const context = { principal, commandId: id, correlationId: id, causationId: id, now: at };
    return claimAlert(store, { cause, recoveryId, now: at }, context);
  };

  it('falls to one of many that ask at once, and the others learn to which', async () => {
    const recoveries = Array.from({ length: 50 }, (_, n) => deriveId('recovery', String(n)));
    const tellers = new Set(await Promise.all(recoveries.map((id) => ask(id))));
    expect(tellers.size).to.equal(1);
    expect(recoveries).to.include([...tellers][0]);
    expect(await ask(OTHER)).to.equal([...tellers][0]);
  });

  it('is a matter of its own for each organization, cause and day', async () => {
    expect(await ask(ONE, { at: '2026-03-02T00:00:00.000Z' })).to.equal(ONE);
    expect(await ask(OTHER, { cause: 'duplicate' })).to.equal(OTHER);
    expect(await ask(OTHER, { org: 'else' })).to.equal(OTHER);
  });
});
