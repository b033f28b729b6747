import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { collect, flatten, idsOf, sampleEvents, uniqueStream } from '../../../test/support/eventSamples.js';
import { esdbFixture, outcomeOf } from '../../../test/support/eventStoreDb/fixture.js';

describe('EsdbOwnership', () => {
  const { server, store } = esdbFixture();

  it('gives a log to the first who claims it, of any number at once, and to nobody after', async () => {
    const double = await server();
    const installations = Array.from({ length: 6 }, () => randomUUID());
    const logs = installations.map(() => store(double.url).ownership);
    expect(await logs[0]?.owner()).to.equal(undefined);
    const owners = await Promise.all(logs.map((log, i) => log.claim(installations[i] ?? '')));
    const [first] = new Set(owners.map((owner) => owner?.installation));
    expect(installations).to.include(first);
    for (const owner of owners) expect(owner).to.deep.equal(owners[0]);
    expect(await logs[0]?.claim(randomUUID())).to.deep.equal(owners[0]);
  });

  it('lets another adopt it, and the first take it back', async () => {
    const { ownership } = store((await server()).url);
    const [first, second] = [randomUUID(), randomUUID()];
    for (const installation of [first, first, second, first]) {
      await ownership.adopt(installation);
      expect((await ownership.owner())?.installation).to.equal(installation);
    }
    expect((await ownership.claim(second))?.installation).to.equal(first);
  });

  it('is no part of the log', async () => {
    const log = store((await server()).url);
    const events = sampleEvents(2);
    const stream = uniqueStream();
    await log.append(stream, 'no_stream', events.slice(0, 1));
    await log.ownership.claim(randomUUID());
    await log.append(stream, 0n, events.slice(1));
    expect(idsOf((await collect(log.readAll({ after: 0n }))).events)).to.deep.equal(idsOf(events));
    expect(await flatten(log.readLines({ after: 0n }))).to.have.length(2);
  });

  it('lets nothing pass before the log is known to be the right one, asked again until it is', async () => {
    const double = await server();
    let refusals = 3;
    const admit = async (): Promise<void> => {
      await Promise.resolve();
      if (refusals-- > 0) throw Object.assign(new Error('not this one'), { code: 'refused' });
    };
    const log = store(double.url, { admit });
    expect(await outcomeOf(log.append(uniqueStream(), 'no_stream', sampleEvents(1)))).to.equal('refused');
    expect(await outcomeOf(log.head())).to.equal('refused');
    expect(double.calls.append).to.equal(0);
    const { events: seen } = await collect(log.subscribe({ after: 0n })); // waits
    expect(seen).to.deep.equal([]);
    expect(await outcomeOf(log.append(uniqueStream(), 'no_stream', sampleEvents(1)))).to.equal('done');
    expect(refusals).to.equal(-1);
  });
});
