import { expect } from 'chai';
import { IdentityWorld } from '../../../test/support/identityWorld.js';
import { registerOrganization } from '../user/register.js';
import { connectPsp, setRetryPolicy } from './commands.js';
import { organizationReader } from './organizationReader.js';
import { policyReader } from './policyReader.js';
import { isHeld } from './state.js';

const POLICY = {
  max_retries: 2,
  initial_delay_minutes: 60,
  backoff_multiplier: 2,
  max_delay_minutes: 240,
  enabled_channels: ['email' as const],
};

describe('readers of organizations', () => {
  const setUp = async () => {
    const world = new IdentityWorld();
    const input = { email: 'ann@example.com', password: 'p', orgName: 'Acme', orgSlug: 'acme' };
    const { user, organization } = await registerOrganization(world.process(), input, world.origin());
    let pages = 0;
    const { store } = world;
    const read = store.readStream.bind(store);
    store.readStream = async function* (stream, options) {
      for await (const page of read(stream, options)) {
        pages += page.length > 0 ? 1 : 0;
        yield page;
      }
    };
    return { world, user, orgId: organization.id, store, pages: () => pages };
  };

  it('read what they know once, and see what comes after', async () => {
    const { world, user, orgId, store, pages } = await setUp();
    const read = organizationReader(store);
    for (let n = 0; n < 3; n++) expect(isHeld(await read(orgId))).to.equal(true);
    expect(pages()).to.equal(1);
    await connectPsp(world, { provider: 'sandbox', webhookSecret: 'whsec_x' }, world.by(user));
    const state = await read(orgId);
    expect(isHeld(state) && state.psps.sandbox).to.not.equal(undefined);
  });

  it('give the policy as it stood at a position or later, by one look for all before it', async () => {
    const { world, user, orgId, store, pages } = await setUp();
    const policyOf = policyReader(store);
    const before = await world.store.head();
    expect((await policyOf(orgId, before)).version).to.equal(0);
    const { position } = await setRetryPolicy(world.store, POLICY, world.by(user));
    expect((await policyOf(orgId, before)).version, 'known up to there').to.equal(0);
    const looks = pages();
    expect(await policyOf(orgId, position)).to.include({ version: 1, max_retries: 2 });
    expect(await policyOf(orgId, before)).to.include({ version: 1 });
    expect(pages()).to.equal(looks + 1);
  });
});
