import { expect } from 'chai';
import { organizationDecider } from '../organization/decide.js';
import { stateOf } from '../../../test/support/spec.js';
import type { OrganizationEvent } from '../../events/organization.js';
import { deriveId } from '../../kernel/ids.js';
import { counts } from './membership.js';
import type { RegisteredUser } from './state.js';

const [ann, bob, orgId, t1, t2] = [
  deriveId('ann'),
  deriveId('bob'),
  deriveId('acme'),
  '2026-01-01T00:00:00.000Z',
  '2026-01-01T00:20:00.000Z',
];
const claimed = (founder: string, at: string): OrganizationEvent => ({
  type: 'OrganizationRegistered',
  data: { name: 'Acme', slug: 'acme', founder_id: founder, registered_at: at },
});
const released: OrganizationEvent = { type: 'OrganizationReleased', data: { reason: 'founder_never_came' } };
const confirmed: OrganizationEvent = { type: 'AdminGranted', data: { user_id: ann } };
const founder: RegisteredUser = {
  status: 'registered',
  tokenVersion: 0,
  orgId,
  email: 'ann@example.com',
  role: 'admin',
  credentialId: deriveId('credential'),
  registrationId: deriveId('credential'),
  registeredAt: t1,
  isActive: true,
  failedLogins: 0,
};
const isMember = (user: RegisteredUser, ...events: readonly OrganizationEvent[]): boolean =>
  counts(ann, user, stateOf(organizationDecider, ...events));

describe('membership', () => {
  it('is the founder’s while their claim holds, confirmed or not', () => {
    expect(isMember(founder, claimed(ann, t1))).to.equal(true);
    expect(isMember(founder, claimed(ann, t1), confirmed)).to.equal(true);
  });

  it('ends for good with the claim, also when the same founder claims again', () => {
    expect(isMember(founder)).to.equal(false);
    expect(isMember(founder, claimed(ann, t1), released)).to.equal(false);
    expect(isMember(founder, claimed(ann, t1), released, claimed(bob, t2))).to.equal(false);
    expect(
      isMember(founder, claimed(ann, t1), released, claimed(bob, t2), released, claimed(ann, t2)),
    ).to.equal(false);
  });

  it('is everybody’s whom an admin invited', () => {
    expect(isMember({ ...founder, invitedBy: bob }, claimed(bob, t2))).to.equal(true);
  });
});
