import type { IncomingHttpHeaders } from 'node:http';
import type { Static } from 'typebox';
import { changeRules, type RulesChanged } from '../../commands/rules/commands.js';
import type { RulesCommand } from '../../commands/rules/decide.js';
import type { RulesState } from '../../commands/rules/state.js';
import { DomainError } from '../../kernel/errors.js';
import { deriveId, type OrgId } from '../../kernel/ids.js';
import { roles } from '../../kernel/principal.js';
import { rules } from '../../projections/rules/projection.js';
import { listRules } from '../../projections/rules/queries.js';
import { commandContextOf } from '../commandContext.js';
import { claimKey } from '../idempotency.js';
import { versionIn } from '../ifMatch.js';
import { ok, type Reply, type Route, route } from '../route.js';
import { IdParams } from '../schemas/common.js';
import {
  AddRuleBody,
  ChangeRuleBody,
  EnableRuleBody,
  RuleListResponse,
  RuleOrderBody,
  RuleResponse,
} from '../schemas/rules.js';

const tag = 'Rules';

type Listed = Pick<RulesState, 'version' | 'rules'>;

const listOf = ({ version, rules: all }: Listed): Static<typeof RuleListResponse> => ({
  rules_version: version,
  data: all.map(({ id, name, enabled, conditions, actions }, position) => ({
    id,
    position,
    name,
    enabled,
    conditions,
    actions,
  })),
});

/** @throws DomainError `not_found` */
const oneOf = (state: Listed, id: string): Static<typeof RuleResponse> => {
  const { data, rules_version } = listOf(state);
  const rule = data.find((one) => one.id === id);
  if (rule === undefined) throw new DomainError('not_found', 'no such rule');
  return { ...rule, rules_version };
};

type Asked = Parameters<typeof commandContextOf>[0] & {
  readonly deps: Parameters<typeof changeRules>[0];
  readonly headers: IncomingHttpHeaders;
};

const change = (asked: Asked, command: RulesCommand): Promise<RulesChanged> => {
  const expectedVersion = versionIn(asked.headers);
  const data = { ...command.data, ...(expectedVersion !== undefined && { expectedVersion }) };
  return changeRules(asked.deps, { ...command, data } as RulesCommand, commandContextOf(asked));
};

const changed = async (asked: Asked, command: RulesCommand, id: string): Promise<Reply> => {
  const state = await change(asked, command);
  return ok(oneOf(state, id), state.position);
};

/** A request that is repeated under its Idempotency-Key names the same rule. */
const idUnder = (key: string | string[] | undefined, orgId: OrgId, newId: () => string): string =>
  key === undefined ? newId() : deriveId('rule', orgId, String(key));

export const ruleRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/v1/rules',
    operationId: 'listRules',
    tag,
    summary: "The organization's rules, in their order",
    description: 'All of them: there are at most 1,000.',
    access: roles,
    reads: rules.table.name,
    responses: { 200: { description: 'The rules', schema: RuleListResponse } },
    handler: async ({ deps, principal }) => ok(listOf(await listRules(deps.db, principal))),
  }),
  route({
    method: 'post',
    path: '/v1/rules',
    operationId: 'addRule',
    tag,
    summary: 'Add a rule',
    description:
      'Conditions left out hold for everything; lists mean "one of". The rule comes last, or at `position`.',
    access: ['admin'],
    body: AddRuleBody,
    idempotent: true,
    conditional: true,
    responses: { 201: { description: 'Added', schema: RuleResponse } },
    refusals: ['not_found', 'too_many_rules', 'version_conflict', 'idempotency_key_reused'],
    handler: async (context) => {
      const { deps, principal, body, headers } = context;
      const key = headers['idempotency-key'];
      await claimKey(deps.idempotencyKeys, principal.orgId, key, { route: 'add_rule', body });
      const { name, enabled = true, conditions = {}, actions, position } = body;
      const rule = { id: idUnder(key, principal.orgId, deps.newId), name, enabled, conditions, actions };
      const data = { rule, ...(position !== undefined && { position }) };
      return { ...(await changed(context, { type: 'AddRule', data }, rule.id)), status: 201 };
    },
  }),
  route({
    method: 'put',
    path: '/v1/rules/order',
    operationId: 'orderRules',
    tag,
    summary: 'Put the rules into another order',
    description:
      'Names every rule once. Of each kind of action the first rule that matches and has it decides.',
    access: ['admin'],
    body: RuleOrderBody,
    conditional: true,
    responses: { 200: { description: 'The rules in their order', schema: RuleListResponse } },
    refusals: ['version_conflict'],
    handler: async (context) => {
      const data = { ruleIds: context.body.rule_ids };
      const state = await change(context, { type: 'ReorderRules', data });
      return ok(listOf(state), state.position);
    },
  }),
  route({
    method: 'get',
    path: '/v1/rules/{id}',
    operationId: 'getRule',
    tag,
    summary: 'One rule',
    access: roles,
    params: IdParams,
    reads: rules.table.name,
    responses: { 200: { description: 'The rule', schema: RuleResponse } },
    refusals: ['not_found'],
    handler: async ({ deps, principal, params }) => ok(oneOf(await listRules(deps.db, principal), params.id)),
  }),
  route({
    method: 'put',
    path: '/v1/rules/{id}',
    operationId: 'changeRule',
    tag,
    summary: 'Write a rule anew',
    description: 'It keeps its place. Conditions and actions left out are gone.',
    access: ['admin'],
    params: IdParams,
    body: ChangeRuleBody,
    conditional: true,
    responses: { 200: { description: 'The rule', schema: RuleResponse } },
    refusals: ['not_found', 'version_conflict'],
    handler: (context) => {
      const { name, enabled, conditions, actions } = context.body;
      const rule = { id: context.params.id, name, enabled, conditions, actions };
      return changed(context, { type: 'ChangeRule', data: { rule } }, rule.id);
    },
  }),
  route({
    method: 'patch',
    path: '/v1/rules/{id}',
    operationId: 'enableRule',
    tag,
    summary: 'Switch a rule on or off',
    access: ['admin'],
    params: IdParams,
    body: EnableRuleBody,
    conditional: true,
    responses: { 200: { description: 'The rule', schema: RuleResponse } },
    refusals: ['not_found', 'version_conflict'],
    handler: (context) => {
      const data = { ruleId: context.params.id, enabled: context.body.enabled };
      return changed(context, { type: 'EnableRule', data }, data.ruleId);
    },
  }),
  route({
    method: 'delete',
    path: '/v1/rules/{id}',
    operationId: 'removeRule',
    tag,
    summary: 'Remove a rule',
    access: ['admin'],
    params: IdParams,
    conditional: true,
    responses: { 204: { description: 'Removed' } },
    refusals: ['not_found', 'version_conflict'],
    handler: async (context) => {
      const data = { ruleId: context.params.id };
      const { position } = await change(context, { type: 'RemoveRule', data });
      return { status: 204, position };
    },
  }),
];
