import { expect } from 'chai';
import { codeOf, IdentityWorld } from '../../../test/support/identityWorld.js';
import { deriveId, orgIdOf } from '../../kernel/ids.js';
import type { User } from '../user/member.js';
import { registerOrganization } from '../user/register.js';
import { connectPsp, pspSecretsOf, retryPolicyOf, setRetryPolicy } from './commands.js';

const policy = {
  max_retries: 2,
  initial_delay_minutes: 60,
  backoff_multiplier: 2,
  max_delay_minutes: 600,
  enabled_channels: ['email' as const],
};
const acme = orgIdOf('acme');
let world: IdentityWorld;
let ann: User;
beforeEach(async () => {
  world = new IdentityWorld();
  const input = { email: 'ann@example.com', password: 'p', orgName: 'Acme', orgSlug: 'acme' };
  ann = (await registerOrganization(world.process(), input, world.origin())).user;
});

describe('organization commands', () => {
  it('set the retry policy of the own organization, admins only', async () => {
    expect((await retryPolicyOf(world.store, acme)).version).to.equal(0);
    const set = await setRetryPolicy(world.store, policy, world.by(ann));
    const setAt = '2026-01-01T00:00:00.001Z';
    expect(set).to.deep.equal({
      policy: { version: 1, ...policy },
      setAt,
      position: await world.store.head(),
    });
    expect(await setRetryPolicy(world.store, policy, world.by(ann))).to.deep.equal(set);
    expect(await retryPolicyOf(world.store, acme)).to.deep.equal(set.policy);
    for (const role of ['user', 'viewer', 'auditor'] as const)
      expect(await codeOf(setRetryPolicy(world.store, policy, world.by({ ...ann, role })))).to.equal(
        'forbidden',
      );
    const stranger = { ...ann, orgId: orgIdOf('none') };
    expect(await codeOf(setRetryPolicy(world.store, policy, world.by(stranger)))).to.equal('not_found');
    expect(await codeOf(retryPolicyOf(world.store, orgIdOf('none')))).to.equal('not_found');
  });

  it('connect a PSP: secrets go to the vault, what is not given is kept, the same again changes nothing', async () => {
    const connect = (secrets: { apiKey?: string; webhookSecret?: string }) =>
      connectPsp(world, { provider: 'stripe', ...secrets }, world.by(ann));
    expect(await pspSecretsOf(world, acme, 'stripe')).to.equal(undefined);
    await connect({ apiKey: 'sk_canary' });
    const { position } = await connect({ webhookSecret: 'whsec_canary' });
    const both = { apiKey: 'sk_canary', webhookSecret: 'whsec_canary' };
    expect(await pspSecretsOf(world, acme, 'stripe')).to.deep.equal(both);
    expect((await connect(both)).position).to.equal(position);
    expect(await pspSecretsOf(world, orgIdOf('none'), 'stripe')).to.equal(undefined);
    for await (const lines of world.store.readLines({ after: 0n }))
      for (const line of lines) expect(line).not.to.contain('canary');
    const viewer = world.by({ ...ann, id: deriveId('v') as User['id'], role: 'viewer' });
    expect(await codeOf(connectPsp(world, { provider: 'sandbox' }, viewer))).to.equal('forbidden');
  });

  it('connect a PSP with both secrets, each set at the same time by somebody else', async () => {
    for (let round = 0; round < 5; round++) {
      const secrets = { apiKey: `sk_canary${round}`, webhookSecret: `whsec_canary${round}` };
      await Promise.all(
        Object.entries(secrets).map(([name, secret]) =>
          connectPsp(world, { provider: 'stripe', [name]: secret }, world.by(ann)),
        ),
      );
      expect(await pspSecretsOf(world, acme, 'stripe')).to.deep.equal(secrets);
    }
  });
});
