import { organizationStream } from '../../events/organization.js';
import { given, recorded } from '../../../test/support/projectionSpec.js';
import { organizations } from './projection.js';

const ORG = '5f0c1c9e-0000-4000-8000-000000000001';
const at = '2026-03-01T10:00:00.000Z';
const event = (type: string, data: object) =>
  recorded(organizationStream(ORG), type, data, { org_id: ORG, occurred_at: at });
const registered = event('OrganizationRegistered', {
  name: 'Acme',
  slug: 'acme',
  founder_id: ORG,
  registered_at: '2026-03-01T11:00:00+01:00',
});

describe('organizations', () => {
  it('shows a registered one, in UTC', () =>
    given(organizations, registered).thenRow(ORG, {
      key: ORG,
      org_id: ORG,
      name: 'Acme',
      slug: 'acme',
      is_active: true,
      psp_provider: null,
      psp_connected_at: null,
      created_at: at,
    }));

  it('tells the PSP connected last, and nothing of its secrets', () =>
    given(
      organizations,
      registered,
      event('PspConnected', { provider: 'sandbox', connected_at: at }),
      event('PspConnected', { provider: 'stripe', secret_reference: ORG, connected_at: at }),
    ).thenRow(ORG, { psp_provider: 'stripe', psp_connected_at: at }));

  it('forgets a released one, and shows it again for another founder', () => {
    const released = event('OrganizationReleased', { reason: 'founder_taken' });
    given(organizations, registered, released).thenNoRow(ORG);
    given(organizations, registered, released, registered).thenRow(ORG, { slug: 'acme' });
  });
});
