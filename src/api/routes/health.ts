import { Type } from 'typebox';
import type { ReadinessCheck } from '../dependencies.js';
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

/** The answer of /readyz: 503 while a required check fails. */
export const readinessAnswer = (checks: readonly ReadinessCheck[]) => {
  const ready = checks.every((check) => check.ok || !check.required);
  return {
    status: ready ? 200 : 503,
    body: { status: ready ? 'ready' : 'not_ready', checks },
    headers: { 'Cache-Control': 'no-store', ...(!ready && { 'Retry-After': '5' }) },
  } as const;
};

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
    handler: async ({ deps }) => readinessAnswer(await deps.readiness()),
  }),
];
