import { expect } from 'chai';
import fc from 'fast-check';
import { runCli } from '../../test/support/cli.js';
import { sampleEvents } from '../../test/support/eventSamples.js';
import { MemoryEventStore } from '../infra/eventStore/memoryEventStore.js';
import { ManualClock } from '../infra/systemClock.js';
import { logRange } from '../events/logRange.js';

const ORG = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
const STREAM = `payment-${ORG}`;
const START = Date.parse('2026-11-23T10:00:00.000Z');
const at = (ms: number): string => new Date(START + ms).toISOString();

/** One event per gap, recorded that many milliseconds after the one before. */
const storeOf = async (gaps: readonly number[]): Promise<MemoryEventStore> => {
  const clock = new ManualClock(new Date(START));
  const store = new MemoryEventStore({ clock });
  let now = START;
  for (const [index, gap] of gaps.entries()) {
    clock.advanceTo(new Date((now += gap)));
    const expected = index === 0 ? 'no_stream' : BigInt(index - 1);
    await store.append(STREAM, expected, sampleEvents(1, { orgId: ORG, type: 'PaymentFailed' }));
  }
  return store;
};

describe('a range of the log by instants', () => {
  it('starts after exactly the events recorded before the instant', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 30 }),
        fc.integer({ min: -1, max: 60 }),
        async (gaps, instant) => {
          const store = await storeOf(gaps);
          const times = gaps.map((_, index) => gaps.slice(0, index + 1).reduce((sum, gap) => sum + gap, 0));
          const earlier = times.filter((time) => time < instant).length;
          expect(await store.positionBefore(at(instant))).to.equal(BigInt(earlier));
        },
      ),
      { numRuns: 50 },
    ));

  it('takes the later of a position and an instant', async () => {
    const store = await storeOf([0, 10, 10, 10]);
    expect(await logRange(store, { after: 1n, from: at(20), to: at(30) })).to.deep.equal({
      after: 2n,
      until: 3n,
    });
    expect(await logRange(store, { after: 3n, from: at(0) })).to.deep.equal({ after: 3n, until: 4n });
  });
});

describe('recovery events', () => {
  const lines = (out: string): unknown[] =>
    out
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { position: string }).position);

  it('export prints one JSON object per event, of the part asked for', async () => {
    const services = { store: await storeOf([0, 10, 10, 10]) };
    const whole = await runCli(['events', 'export'], { services });
    expect(lines(whole.out)).to.deep.equal(['1', '2', '3', '4']);
    const range = ['--from', at(10), '--to', at(30), '--type', 'PaymentFailed', '--org', ORG];
    expect(lines((await runCli(['events', 'export', ...range], { services })).out)).to.deep.equal(['2', '3']);
    const other = ['--type', 'PaymentSucceeded,RecoveryStarted'];
    expect(lines((await runCli(['events', 'export', ...other], { services })).out)).to.deep.equal([]);
  });

  it('show prints a stream, and refuses one that is not there', async () => {
    const services = { store: await storeOf([0, 10]) };
    const { out } = await runCli(['events', 'show', STREAM], { services });
    expect(out).to.contain(`${STREAM}#1  PaymentFailed`);
    expect(lines((await runCli(['events', 'show', STREAM, '--json'], { services })).out)).to.have.length(2);
    const absent = await runCli(['events', 'show', `recovery-${ORG}`], { services });
    expect(absent.code).to.equal(1);
    expect(absent.err).to.contain('There is no stream');
  });

  it('tail goes on until it is stopped, which is no failure', async () => {
    const services = { store: await storeOf([0, 10, 10]) };
    const args = ['events', 'tail', '--after', '1', '--json'];
    const { code, out } = await runCli(args, { services, signal: AbortSignal.timeout(50) });
    expect(code).to.equal(0);
    expect(lines(out)).to.deep.equal(['2', '3']);
  });

  it('recoveries explain refuses an unknown id', async () => {
    const { code, err } = await runCli(['recoveries', 'explain', ORG]);
    expect(code).to.equal(1);
    expect(err).to.contain('There is no recovery');
  });
});
