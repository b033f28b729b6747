import { Type } from 'typebox';
import { ok, type Route, route } from '../route.js';
import { closed, enumOf, named } from '../schemas/common.js';

const tag = 'Operation';

const AliveSchema = named('Alive', { status: enumOf(['ok']) });
const ReadySchema = named('Readiness', {
  status: enumOf(['ready', 'not_ready']),
  checks: Type.Array(
    closed({
      name: Type.String(),
      ok: Type.Boolean(),
      required: Type.Boolean(),
      detail: Type.Optional(Type.String()),
    }),
  ),
});

export const healthRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/healthz',
    operationId: 'alive',
    tag,
    summary: 'Is the process alive',
    access: 'public',
    responses: { 200: { description: 'It is', schema: AliveSchema } },
    handler: () => ok({ status: 'ok' }),
  }),
  route({
    method: 'get',
    path: '/readyz',
    operationId: 'ready',
    tag,
    summary: 'Can requests be served: dependencies, migrations, lag',
    access: 'public',
    responses: {
      200: { description: 'Ready', schema: ReadySchema },
      503: { description: 'Not ready; the required checks tell what is missing', schema: ReadySchema },
    },
    handler: async ({ deps }) => {
      const checks = await deps.readiness();
      const ready = checks.every((check) => check.ok || !check.required);
      const status = ready ? 200 : 503;
      const headers = { 'Cache-Control': 'no-store', ...(!ready && { 'Retry-After': '5' }) };
      return { status, body: { status: ready ? 'ready' : 'not_ready', checks }, headers };
    },
  }),
];
