import { expect } from 'chai';
import { fakeParked, runCli } from '../../test/support/cli.js';
import { SequenceBusy } from '../infra/bus/parkedMessages.js';
import type { ParkedAdmin } from './services.js';

const withParked = (overrides: Partial<ParkedAdmin>) => ({
  services: { parked: { ...fakeParked([]), ...overrides } },
});

describe('recovery parked', () => {
  it('lists whose messages are parked, and why', async () => {
    const { code, out } = await runCli(['parked', 'list']);
    expect(code).to.equal(0);
    expect(out)
      .to.match(/^key\tmessages\ttries/)
      .and.contain('k1\t2\t6\t')
      .and.contain('broken');
    const { data } = JSON.parse((await runCli(['parked', 'list', '--json'])).out) as { data: unknown[] };
    expect(data).to.have.length(1);
  });

  it('shows the messages of one, in order', async () => {
    expect((await runCli(['parked', 'show', 'k1'])).out)
      .to.contain('2 parked')
      .and.contain('m1');
    const shown = JSON.parse((await runCli(['parked', 'show', 'k1', '--json'])).out) as {
      messages: unknown[];
    };
    expect(shown.messages).to.have.length(1);
  });

  it('retries and discards', async () => {
    const retried = await runCli(['parked', 'retry', 'k1']);
    expect(retried.calls).to.include('retry recovery-saga k1');
    expect(retried).to.include({ code: 0, out: '2 handled, 0 left parked.' });
    const discarded = await runCli(['parked', 'discard', 'k1', '--first']);
    expect(discarded.calls).to.include('discard recovery-saga k1 first');
    expect((await runCli(['parked', 'discard', 'k1'])).calls).to.include('discard recovery-saga k1 all');
  });

  it('fails when a message still cannot be handled, with --json on stderr', async () => {
    const retry = () => Promise.resolve({ handled: 1, left: 1, reason: 'still broken' });
    const { code, out, err } = await runCli(['parked', 'retry', 'k1', '--json'], withParked({ retry }));
    expect(code).to.equal(1);
    expect(JSON.parse(out)).to.include({ handled: 1, left: 1 });
    expect((JSON.parse(err) as { error: object }).error).to.include({ code: 'still_parked' });
  });

  it('is refused while somebody else retries', async () => {
    const retry = () => Promise.reject(new SequenceBusy('k1'));
    expect((await runCli(['parked', 'retry', 'k1'], withParked({ retry }))).code).to.equal(3);
  });

  for (const command of ['show', 'retry', 'discard'])
    it(`${command} says when nothing is parked there`, async () => {
      const { code, err } = await runCli(['parked', command, 'k2']);
      expect(code).to.equal(1);
      expect(err).to.contain('Nothing is parked under k2').and.contain('recovery parked list');
    });
});
