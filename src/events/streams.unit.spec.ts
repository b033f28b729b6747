import { expect } from 'chai';
import { alertStream } from './alert.js';
import { organizationStream } from './organization.js';
import { paymentStream } from './payment.js';
import { recoveryStream } from './recovery.js';
import { rulesStream } from './rules.js';
import { credentialStream } from './credential.js';
import { streamKinds } from './streams.js';
import { userStream } from './user.js';

describe('streams', () => {
  it('are of the kinds that can be asked for', () => {
    const streams = [
      organizationStream,
      rulesStream,
      userStream,
      paymentStream,
      recoveryStream,
      credentialStream,
      alertStream,
    ];
    expect(streams.map((nameOf) => nameOf('x'))).to.have.members(streamKinds.map((kind) => `${kind}-x`));
  });
});
