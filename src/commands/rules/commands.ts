import type { Position } from '../../events/envelope.js';
import type { EventStore } from '../../events/eventStore.js';
import { rulesStream } from '../../events/rules.js';
import { authorize } from '../authorize.js';
import type { CommandContext } from '../context.js';
import { handle } from '../handle.js';
import { type RulesCommand, rulesDecider } from './decide.js';
import type { RulesState } from './state.js';

export interface RulesChanged extends RulesState {
  readonly position: Position;
}

/** Changes the rules of the principal's organization; what is as wanted already stays as it is. */
export const changeRules = async (
  store: EventStore,
  command: RulesCommand,
  context: CommandContext,
): Promise<RulesChanged> => {
  const { principal } = context;
  authorize(principal, 'rules.change');
  const { state, position } = await handle(
    store,
    rulesDecider,
    rulesStream(principal.orgId),
    command,
    context,
  );
  return { ...state, position };
};
