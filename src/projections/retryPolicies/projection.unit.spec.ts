import { organizationStream } from '../../events/organization.js';
import { given, recorded } from '../../../test/support/projectionSpec.js';
import { retryPolicies } from './projection.js';

const ORG = '5f0c1c9e-0000-4000-8000-000000000001';
const at = '2026-03-01T10:00:00.000Z';
const policy = (version: number) => ({
  version,
  max_retries: 3,
  initial_delay_minutes: 60,
  backoff_multiplier: 1.5,
  max_delay_minutes: 1_440,
  enabled_channels: ['email'],
});
const set = (version: number) =>
  recorded(
    organizationStream(ORG),
    'RetryPolicySet',
    { ...policy(version), set_at: at },
    { org_id: ORG, occurred_at: at, actor: { type: 'user', id: 'ann' } },
  );

describe('retry policies', () => {
  it('keeps every version', () => {
    const spec = given(retryPolicies, set(1), set(2));
    spec.thenRows(2);
    spec.thenRow(`${ORG}/1`, { version: 1 });
    spec.thenRow(`${ORG}/2`, {
      key: `${ORG}/2`,
      org_id: ORG,
      version: 2,
      policy: policy(2),
      set_at: at,
      set_by: { type: 'user', id: 'ann' },
    });
  });
});
