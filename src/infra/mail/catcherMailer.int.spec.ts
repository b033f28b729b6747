import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { simpleParser } from 'mailparser';
import type { Mail } from '../../kernel/ports.js';
import { CatcherMailer } from './catcherMailer.js';

const mail: Mail = {
  messageId: '<r1.step1@recovery.test>',
  to: { address: 'jane@example.com' },
  subject: 'Payment',
  html: '<p>Pay €1</p>',
  text: 'Pay €1',
};

describe('mail catcher', () => {
  let dir: string;
  let catcher: CatcherMailer;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'catcher-'));
    catcher = new CatcherMailer(join(dir, 'mail'));
  });
  after(() => rm(dir, { recursive: true }));

  it('is empty at first', async () => {
    expect(await catcher.list()).to.deep.equal([]);
    expect(await catcher.read('r1')).to.equal(undefined);
  });

  it('keeps one file per message id', async () => {
    expect(await catcher.send({ ...mail, subject: 'First' })).to.deep.equal({ status: 'sent' });
    expect(await catcher.send(mail)).to.deep.equal({ status: 'sent' });
    expect((await readdir(join(dir, 'mail'))).sort()).to.deep.equal([
      'r1.step1_at_recovery.test.eml',
      'r1.step1_at_recovery.test.json',
    ]);
    const [listed, ...more] = await catcher.list();
    expect(more).to.deep.equal([]);
    expect(listed).to.deep.include({ to: 'jane@example.com', subject: 'Payment', messageId: mail.messageId });
    const read = await catcher.read(listed?.id ?? '');
    expect(read).to.deep.include({ html: mail.html, text: mail.text });
    const parsed = await simpleParser(read?.eml ?? '');
    expect(parsed.messageId).to.equal(mail.messageId);
    expect(parsed.text).to.contain('Pay €1');
  });

  it('lists the newest first, without reading the messages', async () => {
    const many = new CatcherMailer(join(dir, 'many'));
    for (let i = 0; i < 5; i++) {
      await many.send({ ...mail, messageId: `<m${i}@recovery.test>` });
      const at = new Date(2026, 0, 1, 0, i);
      await utimes(join(dir, 'many', `m${i}_at_recovery.test.json`), at, at);
    }
    for (const name of await readdir(join(dir, 'many')))
      if (name.endsWith('.eml')) await rm(join(dir, 'many', name));
    const ids = (await many.list(3)).map(({ messageId }) => messageId);
    expect(ids).to.deep.equal(['<m4@recovery.test>', '<m3@recovery.test>', '<m2@recovery.test>']);
  });

  it('stays inside its directory', async () => {
    expect(await catcher.send({ ...mail, messageId: '<../../evil/../x@y>' })).to.deep.equal({
      status: 'sent',
    });
    expect((await readdir(dir)).sort()).to.deep.equal(['mail', 'many']);
    for (const id of ['../secret', '..', '', '/etc/passwd', 'a/../../b'])
      expect(await catcher.read(id)).to.equal(undefined);
  });

  it('does not throw when it cannot write', async () => {
    const broken = new CatcherMailer(join(dir, 'mail', 'r1.step1_at_recovery.test.eml'));
    expect(await broken.send(mail)).to.deep.include({ status: 'failed', permanent: false });
  });
});
