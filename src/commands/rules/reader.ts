import type { EventStore } from '../../events/eventStore.js';
import { type RuleEvent, rulesStream } from '../../events/rules.js';
import { upcast } from '../../events/registry.js';
import type { OrgId } from '../../kernel/ids.js';
import { load, type Loaded } from '../handle.js';
import { rulesDecider } from './decide.js';
import { compileRules, type RuleSet } from './match.js';
import { evolve, noRules, type RulesState } from './state.js';

const MAX_ORGANIZATIONS = 10_000;
/** Of all organizations together: what a compiled rule takes grows with the others of its set. */
const MAX_KEPT_RULES = 100_000;

export type RulesReader = (orgId: OrgId) => Promise<RuleSet>;

interface Known {
  readonly loaded: Loaded<RulesState>;
  readonly set: RuleSet;
}

/**
 * Rules as they are now, ready to be asked: as fresh as the stream, of which only what is new is read, and compiled
 * again only when they changed.
 */
export const rulesReader = (store: EventStore): RulesReader => {
  const known = new Map<OrgId, Known>();
  let kept = 0;
  const keep = (orgId: OrgId, next: Known): void => {
    kept -= known.get(orgId)?.set.rules.length ?? 0;
    if (known.size >= MAX_ORGANIZATIONS || kept + next.set.rules.length > MAX_KEPT_RULES) {
      known.clear();
      kept = 0;
    }
    known.set(orgId, next);
    kept += next.set.rules.length;
  };
  return async (orgId) => {
    const before = known.get(orgId);
    const loaded = await load(store, rulesDecider, rulesStream(orgId), before?.loaded);
    if (before !== undefined && before.set.version === loaded.state.version) return before.set;
    const set = compileRules(loaded.state.version, loaded.state.rules);
    keep(orgId, { loaded, set });
    return set;
  };
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
