import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { aRule, facts } from '../../../test/support/ruleSamples.js';
import { rulesStream } from '../../events/rules.js';
import { MemoryEventStore } from '../../infra/eventStore/memoryEventStore.js';
import { type OrgId, orgIdOf } from '../../kernel/ids.js';
import type { CommandContext } from '../context.js';
import { handle } from '../handle.js';
import { changeRules } from './commands.js';
import { type RulesCommand, rulesDecider } from './decide.js';
import { rulesAtVersion, rulesReader } from './reader.js';

const orgId = orgIdOf('acme');
const context = (): CommandContext => {
  const id = randomUUID();
  const principal = { actor: { type: 'system', id: 'test' }, orgId } as const;
  return { principal, commandId: id, correlationId: id, causationId: id, now: '2026-01-01T00:00:00.000Z' };
};

describe('readers of rules', () => {
  let store: MemoryEventStore;
  let pages: number;
  const give = (command: RulesCommand) => handle(store, rulesDecider, rulesStream(orgId), command, context());
  beforeEach(() => {
    store = new MemoryEventStore();
    pages = 0;
    const read = store.readStream.bind(store);
    store.readStream = async function* (stream, options) {
      for await (const page of read(stream, options)) {
        pages += page.length > 0 ? 1 : 0;
        yield page;
      }
    };
  });

  it('know an organization without rules', async () => {
    const set = await rulesReader(store)(orgId);
    expect([set.version, set.rules]).to.deep.equal([0, []]);
    expect(set.match(facts())).to.deep.equal({ matched: [] });
  });

  it('read and compile what they know once, and see what comes after', async () => {
    await give({ type: 'AddRule', data: { rule: aRule(1) } });
    const read = rulesReader(store);
    pages = 0;
    const set = await read(orgId);
    expect(await read(orgId)).to.equal(set);
    expect(pages).to.equal(1);
    expect(await read(orgIdOf('other'))).to.include({ version: 0 });
    await give({ type: 'EnableRule', data: { ruleId: aRule(1).id, enabled: false } });
    const next = await read(orgId);
    expect(next.version).to.equal(2);
    expect(next.match(facts()).matched).to.deep.equal([]);
    expect(set.match(facts()).matched, 'the earlier ones stay as they were').to.deep.equal([aRule(1).id]);
  });

  it('forget the organizations that they have known longest, when they know too many or too much', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map(orgIdOf) as [OrgId, OrgId, OrgId];
    for (const org of [a, b, c])
      await handle(
        store,
        rulesDecider,
        rulesStream(org),
        { type: 'AddRule', data: { rule: aRule(1) } },
        { ...context(), principal: { ...context().principal, orgId: org } },
      );
    for (const atMost of [
      { organizations: 2, rules: 9 },
      { organizations: 9, rules: 2 },
    ]) {
      const read = rulesReader(store, atMost);
      const [setA, setB, setC] = [await read(a), await read(b), await read(c)];
      expect(await read(c)).to.equal(setC);
      expect(await read(b)).to.equal(setB);
      expect(await read(a)).to.not.equal(setA);
    }
  });

  it('spare a change the reading of what they know', async () => {
    const rulesOf = rulesReader(store);
    const admin = { type: 'user', id: 'ann' } as const;
    const by = () => ({ ...context(), principal: { actor: admin, orgId, role: 'admin' } as const });
    await changeRules({ store, rulesOf }, { type: 'AddRule', data: { rule: aRule(1) } }, by());
    await rulesOf(orgId);
    pages = 0;
    const changed = await changeRules(
      { store, rulesOf },
      { type: 'AddRule', data: { rule: aRule(2) } },
      by(),
    );
    expect(pages).to.equal(0);
    expect(changed.version).to.equal(2);
    expect((await rulesOf(orgId)).version).to.equal(2);
  });

  it('give the rules of every version there was', async () => {
    await give({ type: 'AddRule', data: { rule: aRule(1) } });
    await give({ type: 'AddRule', data: { rule: aRule(2), position: 0 } });
    const idsAt = async (version: number) =>
      (await rulesAtVersion(store, orgId, version))?.rules.map(({ id }) => id);
    expect(await idsAt(0)).to.deep.equal([]);
    expect(await idsAt(1)).to.deep.equal([aRule(1).id]);
    expect(await idsAt(2)).to.deep.equal([aRule(1).id, aRule(2).id]);
    expect(await idsAt(3)).to.deep.equal([aRule(2).id, aRule(1).id]);
    expect(await idsAt(4)).to.equal(undefined);
  });
});
