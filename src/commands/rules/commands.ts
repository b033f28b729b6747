import type { Position } from '../../events/envelope.js';
import type { EventStore } from '../../events/eventStore.js';
import { rulesStream } from '../../events/rules.js';
import { authorize } from '../authorize.js';
import type { CommandContext } from '../context.js';
import { handle } from '../handle.js';
import { type RulesCommand, rulesDecider } from './decide.js';
import type { RulesReader } from './reader.js';
import type { RulesState } from './state.js';

export interface RulesChanged extends RulesState {
  readonly position: Position;
}

/** Changes the rules of the principal's organization; what is as wanted already stays as it is. */
export const changeRules = async (
  { store, rulesOf }: { readonly store: EventStore; readonly rulesOf: RulesReader },
  command: RulesCommand,
  context: CommandContext,
): Promise<RulesChanged> => {
  const { principal } = context;
  authorize(principal, 'rules.change');
  const { orgId } = principal;
  const from = await rulesOf.loaded?.(orgId);
  const options = from === undefined ? {} : { from };
  const stream = rulesStream(orgId);
  const { state, position } = await handle(store, rulesDecider, stream, command, context, options);
  return { ...state, position };
};
