import type { EventStore } from '../../events/eventStore.js';
import { type RuleEvent, rulesStream } from '../../events/rules.js';
import { upcast } from '../../events/registry.js';
import type { OrgId } from '../../kernel/ids.js';
import { load, type Loaded } from '../handle.js';
import { rulesDecider } from './decide.js';
import { compileRules, type RuleSet } from './match.js';
import { evolve, noRules, type RulesState } from './state.js';

/** Rules of all organizations together: what a compiled rule takes grows with the others of its set. */
const KEPT = { organizations: 10_000, rules: 100_000 };

export interface RulesReader {
  (orgId: OrgId): Promise<RuleSet>;
  /** The stream folded, for whoever changes it: so that it need not be read anew. */
  readonly loaded?: (orgId: OrgId) => Promise<Loaded<RulesState>>;
}

interface Known {
  readonly loaded: Loaded<RulesState>;
  readonly set: RuleSet;
}

/**
 * Rules as they are now, ready to be asked: as fresh as the stream, of which only what is new is read, and compiled
 * again only when they changed.
 */
export const rulesReader = (store: EventStore, atMost = KEPT): RulesReader => {
  const known = new Map<OrgId, Known>();
  let kept = 0;
  const forget = (orgId: OrgId): void => {
    kept -= known.get(orgId)?.set.rules.length ?? 0;
    known.delete(orgId);
  };
  const keep = (orgId: OrgId, next: Known): void => {
    forget(orgId);
    for (const longest of known.keys()) {
      if (known.size < atMost.organizations && kept + next.set.rules.length <= atMost.rules) break;
      forget(longest);
    }
    known.set(orgId, next);
    kept += next.set.rules.length;
  };
  const refreshed = async (orgId: OrgId): Promise<Known> => {
    const before = known.get(orgId);
    const loaded = await load(store, rulesDecider, rulesStream(orgId), before?.loaded);
    if (before !== undefined && before.set.version === loaded.state.version) return before;
    const set = compileRules(loaded.state.version, loaded.state.rules);
    const next = { loaded, set };
    keep(orgId, next);
    return next;
  };
  return Object.assign(async (orgId: OrgId) => (await refreshed(orgId)).set, {
    loaded: async (orgId: OrgId) => (await refreshed(orgId)).loaded,
  });
};

/** The rules as they were at a version, for whoever takes a decision again; undefined for one that never was. */
export const rulesAtVersion = async (
  store: EventStore,
  orgId: OrgId,
  version: number,
): Promise<RuleSet | undefined> => {
  let state = noRules;
  if (version > 0)
    reading: for await (const page of store.readStream(rulesStream(orgId)))
      for (const event of page) {
        const { type, data } = upcast(event);
        state = evolve(state, { type, data } as RuleEvent);
        if (state.version === version) break reading;
      }
  return state.version === version ? compileRules(state.version, state.rules) : undefined;
};
