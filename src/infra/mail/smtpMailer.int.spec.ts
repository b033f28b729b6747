import { expect } from 'chai';
import { simpleParser } from 'mailparser';
import { startSmtpServer, type TestSmtpServer } from '../../../test/support/smtpServer.js';
import { silentLogger } from '../../kernel/logger.js';
import type { Mail } from '../../kernel/ports.js';
import { SmtpMailer, type SmtpMailerOptions } from './smtpMailer.js';

const mailTo = (address: string, changes: Partial<Mail> = {}): Mail => ({
  messageId: '<r1.step1@recovery.test>',
  to: { name: 'Jane Doe', address },
  subject: 'Your payment of €49.00 did not go through',
  html: '<p>Dear Jane, please pay.</p>',
  text: 'Dear Jane, please pay.',
  ...changes,
});

describe('SMTP mailer', () => {
  let server: TestSmtpServer;
  let mailer: SmtpMailer;
  const mailerFor = (changes: Partial<SmtpMailerOptions> = {}) =>
    new SmtpMailer({
      host: '127.0.0.1',
      port: server.port,
      from: 'Acme Payments <payments@acme.test>',
      logger: silentLogger,
      timeout: 2_000,
      ...changes,
    });
  before(async () => {
    server = await startSmtpServer();
    mailer = mailerFor();
  });
  beforeEach(() => server.received.splice(0));
  after(async () => {
    mailer.close();
    await server.stop();
  });

  it('sends HTML and text with the message id given', async () => {
    expect(await mailer.send(mailTo('jane@example.com'))).to.deep.equal({ status: 'sent' });
    const [mail] = server.received;
    expect(mail?.recipients).to.deep.equal(['jane@example.com']);
    expect(mail?.raw).to.match(/^Message-ID: <r1\.step1@recovery\.test>\r?$/m);
    expect(mail?.raw).to.match(/^From: Acme Payments <payments@acme\.test>\r?$/m);
    expect(mail?.raw).to.match(/^To: Jane Doe <jane@example\.com>\r?$/m);
    expect(mail?.raw).to.match(/^Auto-Submitted: auto-generated\r?$/m);
    const parsed = await simpleParser(mail?.raw ?? '');
    expect(parsed.subject).to.equal('Your payment of €49.00 did not go through');
    expect(parsed.text).to.contain('Dear Jane, please pay.');
    expect(parsed.html).to.contain('<p>Dear Jane, please pay.</p>');
  });

  it('mails one address only, whatever the name or address holds', async () => {
    const to = { name: 'Evil, other@example.com; group: a@b.example;', address: 'jane@example.com' };
    expect(await mailer.send(mailTo('', { to }))).to.deep.equal({ status: 'sent' });
    expect(server.received[0]?.recipients).to.deep.equal(['jane@example.com']);
    for (const address of [
      'a@b.test,c@d.test',
      'a@b.test, c@d.test',
      'g: a@b.test;',
      '<a@b.test>',
      'nobody',
      '',
    ])
      expect(await mailer.send(mailTo(address))).to.deep.equal({
        status: 'failed',
        permanent: true,
        reason: 'invalid_address',
      });
    expect(server.received).to.have.length(1);
  });

  it('hands one mail over to several, though one address is none or is refused', async () => {
    const to = ['ann@example.com', 'nobody', 'bounce@example.com', 'bob@example.com'].map((address) => ({
      address,
    }));
    expect(await mailer.send(mailTo('', { to }))).to.deep.equal({ status: 'sent' });
    expect(server.received.map(({ recipients }) => recipients)).to.deep.equal([
      ['ann@example.com', 'bob@example.com'],
    ]);
    for (const none of [[], [{ address: 'nobody' }]])
      expect(await mailer.send(mailTo('', { to: none }))).to.have.property('reason', 'invalid_address');
  });

  it('lets nothing break out of a header', async () => {
    const evil = 'x\r\nBcc: victim@example.com\r\n\r\nbody';
    const changes = {
      subject: evil,
      to: { name: evil, address: 'jane@example.com' },
      headers: { 'X-Note': evil },
    };
    expect(await mailer.send(mailTo('', changes))).to.deep.equal({ status: 'sent' });
    const { headers, bcc } = await simpleParser(server.received[0]?.raw ?? '');
    expect(bcc).to.equal(undefined);
    expect([...headers.keys()]).to.not.include('bcc');
    expect(server.received[0]?.recipients).to.deep.equal(['jane@example.com']);
    for (const headers of [{ 'X: y\r\nBcc': 'z' }, { '': 'z' }])
      expect(await mailer.send(mailTo('a@b.test', { headers }))).to.have.property('reason', 'invalid_header');
    const messageId = '<a@b>\r\nBcc: c@d.test';
    expect(await mailer.send(mailTo('a@b.test', { messageId }))).to.have.property(
      'reason',
      'invalid_message_id',
    );
  });

  it('tells what will not pass from what will', async () => {
    const outcome = (local: string) => mailer.send(mailTo(`${local}@example.com`));
    const failed = (permanent: boolean, reason: string) => ({ status: 'failed', permanent, reason });
    expect(await outcome('bounce')).to.deep.equal(failed(true, 'smtp_550 5.1.1 at RCPT TO'));
    expect(await outcome('busy')).to.deep.equal(failed(false, 'smtp_451 4.7.1 at RCPT TO'));
    expect(await outcome('spam')).to.deep.equal(failed(true, 'smtp_554 5.7.1 at DATA'));
    expect(await outcome('full')).to.deep.equal(failed(false, 'smtp_452 4.2.2 at DATA'));
    expect(server.received).to.deep.equal([]);
  });

  it('hands a mail over once when the link is cut after DATA, and says that it may try again', async () => {
    expect(await mailer.send(mailTo('cut@example.com'))).to.deep.include({
      status: 'failed',
      permanent: false,
    });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(server.received).to.have.length(1);
    expect(await mailer.send(mailTo('jane@example.com'))).to.deep.equal({ status: 'sent' });
    expect(new Set(server.received.map(({ raw }) => /^Message-ID: (.*)$/m.exec(raw)?.[1]))).to.have.property(
      'size',
      1,
    );
  });

  it('does not wait for ever', async () => {
    const impatient = mailerFor({ timeout: 300 });
    const outcome = await impatient.send(mailTo('silent@example.com'));
    impatient.close();
    expect(outcome).to.deep.include({ status: 'failed', permanent: false });
  });

  it('takes a refused connection or login as something that will pass', async () => {
    const nowhere = mailerFor({ port: 1 });
    expect(await nowhere.send(mailTo('jane@example.com'))).to.deep.include({
      status: 'failed',
      permanent: false,
    });
    nowhere.close();
    const guarded = await startSmtpServer({ user: 'acme', password: 'right' });
    const stranger = mailerFor({ port: guarded.port, user: 'acme', password: 'wrong' });
    expect(await stranger.send(mailTo('jane@example.com'))).to.deep.include({
      status: 'failed',
      permanent: false,
    });
    stranger.close();
    const known = mailerFor({ port: guarded.port, user: 'acme', password: 'right' });
    expect(await known.send(mailTo('jane@example.com'))).to.deep.equal({ status: 'sent' });
    known.close();
    await guarded.stop();
  });

  it('does not start with a sender that is not one address', () => {
    for (const from of ['', 'nobody', 'a@b.test, c@d.test', 'Group: a@b.test;'])
      expect(() => mailerFor({ from }), from).to.throw('SMTP_FROM');
  });
});
