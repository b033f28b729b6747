import { expect } from 'chai';
import { startApi } from '../../test/support/api.js';

describe('PSP connection over HTTP', () => {
  it('has no sandbox in production', async () => {
    const connect = { method: 'PUT', token: 'admin.acme', json: { provider: 'sandbox' } };
    const production = await startApi({ environment: 'production' });
    const { status, body } = await production.call('/v1/psp/connection', connect);
    await production.close();
    expect(status).to.equal(422);
    expect(body).to.have.nested.property('errors[0].pointer', '/provider');
    const elsewhere = await startApi();
    expect((await elsewhere.call('/v1/psp/connection', connect)).status).not.to.equal(422);
    await elsewhere.close();
  });
});
