import { mkdtemp, rm } from 'node:fs/promises';
import { compileRules } from '../commands/rules/match.js';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { simpleParser } from 'mailparser';
import { startApi } from '../../test/support/api.js';
import { startSmtpServer, type TestSmtpServer } from '../../test/support/smtpServer.js';
import { T0 } from '../../test/support/recoverySamples.js';
import { startRecovery } from '../../test/support/startedRecovery.js';
import { organizationReader } from '../commands/organization/organizationReader.js';
import {
  act,
  type ActDependencies,
  type MerchantAlert,
  type RecoveryMail,
} from '../commands/recovery/act.js';
import { meanings } from '../commands/recovery/classification/meaning.js';
import { alertMessageId } from '../commands/recovery/tellMerchant.js';
import { MemoryEventStore } from '../infra/eventStore/memoryEventStore.js';
import { readLinkToken } from '../infra/links/linkToken.js';
import { CatcherMailer } from '../infra/mail/catcherMailer.js';
import { SmtpMailer } from '../infra/mail/smtpMailer.js';
import { DAY, plus } from '../kernel/clock.js';
import { deriveId, type OrgId, type RecoveryId } from '../kernel/ids.js';
import { silentLogger } from '../kernel/logger.js';
import {
  merchantAlertSender,
  type MerchantAlertOptions,
  recoveryMailSender,
  type RecoveryMailOptions,
} from './mail.js';

const RECOVERY = deriveId('mail-test') as RecoveryId;
const ORG = deriveId('mail-org') as OrgId;
const unused = () => Promise.reject(new Error('not used'));
const linkKey = Buffer.alloc(32, 7);

const mailTo = (address: string): RecoveryMail => ({
  orgId: ORG,
  recoveryId: RECOVERY,
  messageId: `<${RECOVERY}.1@stealth-recovery>`,
  step: 1,
  template: 'update_card',
  category: 'card_data_invalid',
  to: { address, name: 'Ada' },
  amount: 4900,
  currency: 'EUR',
  linkExpiresAt: plus(T0, 30 * DAY),
});

describe('recovery mails', () => {
  let server: TestSmtpServer;
  let mailer: SmtpMailer;
  before(async () => {
    server = await startSmtpServer();
  });
  beforeEach(() => {
    server.received.splice(0);
    mailer = new SmtpMailer({
      host: '127.0.0.1',
      port: server.port,
      from: 'Payments <payments@acme.test>',
      maxConnections: 1,
      logger: silentLogger,
    });
  });
  afterEach(() => mailer.close());
  after(() => server.stop());

  const sender = (over: Partial<RecoveryMailOptions> = {}) =>
    recoveryMailSender({
      organizationOf: organizationReader(new MemoryEventStore()),
      mailer,
      publicBaseUrl: 'https://pay.acme.test',
      linkKey,
      logger: silentLogger,
      ...over,
    });

  it('carry a link that names the recovery until it ends', async () => {
    expect(await sender()(mailTo('ada@example.com'))).to.deep.equal({ status: 'sent' });
    const { text } = await simpleParser(server.received[0]?.raw ?? '');
    const token = /https:\/\/pay\.acme\.test\/r\/([\w-]+)/.exec(text ?? '')?.[1] ?? '';
    expect(readLinkToken(token, linkKey, new Date(T0))).to.deep.equal({
      recoveryId: RECOVERY,
      expiresAt: plus(T0, 30 * DAY),
    });
  });

  it('are a failure that may pass, not an error, when the store or the link is broken', async () => {
    const store = new MemoryEventStore();
    store.readStream = () => {
      throw new Error('store down');
    };
    const failed = { status: 'failed', permanent: false, reason: 'the mail could not be made' };
    expect(
      await sender({ organizationOf: organizationReader(store) })(mailTo('ada@example.com')),
    ).to.deep.equal(failed);
    expect(await sender({ publicBaseUrl: 'nowhere' })(mailTo('ada@example.com'))).to.deep.equal(failed);
    expect(server.received).to.deep.equal([]);
  });

  it('are given up at their deadline by a server that answers too slowly, the queued ones unsent', async () => {
    const send = sender({ deadline: 400 });
    const outcomes = await Promise.all([
      send(mailTo('silent@example.com')),
      send(mailTo('ada@example.com')),
      send(mailTo('bob@example.com')),
    ]);
    for (const outcome of outcomes) expect(outcome).to.deep.include({ status: 'failed', permanent: false });
    expect(server.received.flatMap(({ recipients }) => recipients)).to.deep.equal(['silent@example.com']);
    expect(await send(mailTo('ada@example.com'))).to.deep.equal({ status: 'sent' });
    expect(server.received.flatMap(({ recipients }) => recipients)).to.deep.equal([
      'silent@example.com',
      'ada@example.com',
    ]);
  });

  describe('to the merchant', () => {
    const alert: MerchantAlert = {
      orgId: ORG,
      recoveryId: RECOVERY,
      messageId: alertMessageId(RECOVERY, 'merchant_config'),
      cause: 'merchant_config',
      reason: 'as the log says it',
      transactionRef: 'inv_1',
      amount: 4900,
      currency: 'EUR',
    };
    const alerts = (over: Partial<MerchantAlertOptions> = {}) =>
      merchantAlertSender({
        organizationOf: organizationReader(new MemoryEventStore()),
        adminsOf: async () => [{ address: 'ann@acme.test', name: 'Ann' }, { address: 'bob@acme.test' }],
        mailer,
        publicBaseUrl: 'https://pay.acme.test',
        logger: silentLogger,
        ...over,
      });

    it('go to all admins at once, with the meaning of the category and where to read on', async () => {
      expect(await alerts()(alert)).to.deep.equal({ status: 'sent' });
      expect(server.received.map(({ recipients }) => recipients)).to.deep.equal([
        ['ann@acme.test', 'bob@acme.test'],
      ]);
      const { text, messageId } = await simpleParser(server.received[0]?.raw ?? '');
      expect(messageId).to.equal(alert.messageId);
      expect(server.received[0]?.raw).to.contain(`Message-ID: ${alert.messageId}\r\n`);
      expect(text).to.contain(meanings.merchant_config).and.not.contain(alert.reason);
      expect(text).to.contain(`GET https://pay.acme.test/v1/recoveries/${RECOVERY}`);
    });

    it('give the reason of a rule in its own words', async () => {
      await alerts()({ ...alert, cause: RECOVERY, reason: 'call them', ruleName: 'big ones' });
      const { text } = await simpleParser(server.received[0]?.raw ?? '');
      expect(text).to.contain('Your rule "big ones" asks to tell you: call them');
    });

    it('are given up where there is nobody to mail, and tried again where that is not known', async () => {
      expect(await alerts({ adminsOf: async () => [] })(alert)).to.deep.equal({
        status: 'failed',
        permanent: true,
        reason: 'no admin can be mailed',
      });
      expect(await alerts({ adminsOf: unused })(alert)).to.deep.include({ permanent: false });
      expect(server.received).to.deep.equal([]);
    });
  });

  it('lead from the caught message to the page, once a recovery has sent one', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'recovery-mail-'));
    const store = new MemoryEventStore();
    const recoveryId = await startRecovery(store, ORG, 'expired_card');
    const catcher = new CatcherMailer(dir);
    const deps: ActDependencies = {
      store,
      rulesOf: () => Promise.resolve(compileRules(0, [])),
      psp: {
        charge: unused,
        lookup: unused,
        openCheckout: unused,
        closeCheckout: unused,
        stopRetries: unused,
      },
      sendAlert: unused,
      sendMail: sender({ organizationOf: organizationReader(store), mailer: catcher }),
      clock: { now: () => new Date(T0) },
      faults: () => undefined,
      logger: silentLogger,
      leaseId: 'lease',
      stillMine: async () => true,
    };
    await act(deps, recoveryId, { actor: { type: 'system', id: 'scheduler' }, orgId: ORG });
    const [caught] = await catcher.list();
    const { text } = await simpleParser((await catcher.read(caught?.id ?? ''))?.eml ?? '');
    await rm(dir, { recursive: true });
    const api = await startApi({
      store,
      clock: deps.clock,
      readLink: (token, now) => readLinkToken(token, linkKey, now),
    });
    const page = await api.call(/https:\/\/pay\.acme\.test(\/r\/[\w-]+)/.exec(text ?? '')?.[1] ?? '');
    await api.close();
    expect(page.status).to.equal(200);
    expect(page.text).to.contain('€49.00').and.contain('/pay"');
  });
});
