import { expect } from 'chai';
import { CREDENTIAL, T0 } from '../../../test/support/recoverySamples.js';
import { startRecovery } from '../../../test/support/startedRecovery.js';
import { recoveryStream } from '../../events/recovery.js';
import { MemoryEventStore } from '../../infra/eventStore/memoryEventStore.js';
import { deriveId, type OrgId, paymentIdOf, recoveryIdOf } from '../../kernel/ids.js';
import { DAY, plus } from '../../kernel/clock.js';
import { handle } from '../handle.js';
import { recoveryDecider } from './decide.js';
import { rulesReader } from '../rules/reader.js';
import type { GuidanceSources } from './readGuidance.js';
import { settleDeclinedAttempt } from './settleAttempt.js';

const ORG = deriveId('org') as OrgId;
const recoveryId = recoveryIdOf(paymentIdOf(ORG, 'inv_1'));
const stream = recoveryStream(recoveryId);
const contextOf = (orgId: OrgId) => ({
  principal: { actor: { type: 'psp', id: 'stripe' }, orgId } as const,
  correlationId: 'c',
  causationId: 'c',
  now: plus(T0, DAY),
});
const failure = { decline_code: 'stolen_card' };
const attempt = { recoveryId, attempt: 1, failure, triggerId: 'ch_1' };

describe('settleDeclinedAttempt', () => {
  let store: MemoryEventStore;
  let sources: GuidanceSources;
  const types = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const page of store.readStream(stream)) found.push(...page.map(({ type }) => type));
    return found;
  };

  beforeEach(async () => {
    store = new MemoryEventStore();
    sources = { store, rulesOf: rulesReader(store) };
    const context = { ...contextOf(ORG), commandId: deriveId('1') };
    await startRecovery(store, ORG, 'insufficient_funds');
    const begin = {
      attempt: 1,
      idempotencyKey: 'k',
      charged: { references: {} },
      credentialId: CREDENTIAL,
      now: plus(T0, DAY),
    };
    const started = { ...context, commandId: deriveId('2') };
    await handle(store, recoveryDecider, stream, { type: 'StartRetry', data: begin }, started);
  });

  it('gives an open attempt its outcome, once', async () => {
    await settleDeclinedAttempt(sources, attempt, contextOf(ORG));
    const log = await types();
    expect(log).to.include('RetryDeclined');
    await settleDeclinedAttempt(sources, { ...attempt, triggerId: 'ch_2' }, contextOf(ORG));
    expect(await types()).to.deep.equal(log);
  });

  it("does not touch another organization's recovery, nor make one", async () => {
    const before = await types();
    for (const wrong of [
      settleDeclinedAttempt(sources, attempt, contextOf(deriveId('other') as OrgId)),
      settleDeclinedAttempt(
        sources,
        { ...attempt, recoveryId: recoveryIdOf(paymentIdOf(ORG, 'x')) },
        contextOf(ORG),
      ),
    ]) {
      const code = await wrong.then(
        () => 'none',
        (error: { code: string }) => error.code,
      );
      expect(code).to.equal('not_found');
    }
    expect(await types()).to.deep.equal(before);
  });
});
