import { expect } from 'chai';
import { flatten } from '../../../test/support/eventSamples.js';
import { startRecovery } from '../../../test/support/startedRecovery.js';
import { recoveryStream } from '../../events/recovery.js';
import { MemoryEventStore } from '../../infra/eventStore/memoryEventStore.js';
import { orgIdOf } from '../../kernel/ids.js';

describe('followFailure', () => {
  it('reads a failure by the tables in force when it decides, and counts a wait from when it failed', async () => {
    const store = new MemoryEventStore();
    const failedAt = '2026-11-28T23:00:00.000Z';
    const told = { failedAt, now: '2026-11-29T01:00:00.000Z' };
    const id = await startRecovery(store, orgIdOf('acme'), 'otp_attempts_exceeded', 'inv_1', told);
    const [started] = await flatten(store.readStream(recoveryStream(id)));
    expect(started?.data).to.deep.include({
      category: 'velocity_limit',
      earliest_at: '2026-11-29T23:00:00.000Z',
      evidence: {
        step: 'decline_code',
        value: 'otp_attempts_exceeded',
        table_version: '2026-11-29',
        raw: { decline_code: 'otp_attempts_exceeded' },
      },
    });
  });
});
