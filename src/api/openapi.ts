import type { TSchema } from 'typebox';
import type { ErrorCode } from '../kernel/errors.js';
import { kindOf } from './problem.js';
import type { ResponseSpec, Route } from './route.js';
import { ProblemSchema } from './schemas/common.js';

type Json = Record<string, unknown>;

/** Moves every schema with a title into components and refers to it, so that clients get named types. */
class Components {
  readonly schemas: Json = {};

  /** @param schema plain JSON */
  hoist(schema: unknown): unknown {
    if (Array.isArray(schema)) return schema.map((item) => this.hoist(item));
    if (typeof schema !== 'object' || schema === null) return schema;
    const copy: Json = {};
    for (const [key, value] of Object.entries(schema)) copy[key] = this.hoist(value);
    const { title } = copy;
    if (typeof title !== 'string') return copy;
    this.schemas[title] ??= copy;
    return { $ref: `#/components/schemas/${title}` };
  }
}

/** TypeBox keeps notes of its own in hidden properties: only what is JSON counts. */
const plain = (schema: TSchema): unknown => JSON.parse(JSON.stringify(schema));

const parametersOf = (schema: TSchema | undefined, place: 'path' | 'query'): Json[] => {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = plain(schema) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(typeof property['description'] === 'string' && { description: property['description'] }),
    schema: property,
  }));
};

const header = (name: string, description: string): Json => ({
  name,
  in: 'header',
  required: false,
  description,
  schema: { type: 'string' },
});

const headersOf = ({ reads, idempotent, conditional, headers = {} }: Route): Json[] => [
  ...Object.entries(headers).map(([name, meaning]) => ({ ...header(name, meaning), required: true })),
  ...(reads === undefined
    ? []
    : [
        header(
          'X-Min-Position',
          'Wait (up to 5 s) until this position, from an X-Event-Position, is visible',
        ),
      ]),
  ...(idempotent === true
    ? [header('Idempotency-Key', 'Same key and body: the same answer. Same key, other body: 422')]
    : []),
  ...(conditional === true
    ? [
        header(
          'If-Match',
          'The version the change was made from, e.g. "7": refused when there is a newer one',
        ),
      ]
    : []),
];

const takesBody = ({ body, consumes }: Route): boolean => body !== undefined || consumes === 'raw';
const isPositioned = ({ method, positioned }: Route, status: number): boolean =>
  method !== 'get' && status < 400 && positioned !== false;

/** The refusals that any route of this form can give. */
const generalRefusals = (definition: Route): ErrorCode[] => [
  ...(definition.access === 'public' ? [] : (['invalid_token', 'forbidden'] as const)),
  ...(takesBody(definition) || definition.params ? (['not_parsable'] as const) : []),
  ...(takesBody(definition) ? (['payload_too_large', 'unsupported_media_type'] as const) : []),
  ...(takesBody(definition) || (definition.params ?? definition.query ?? definition.reads)
    ? (['validation_failed'] as const)
    : []),
  ...(definition.reads === undefined ? [] : (['position_not_reached'] as const)),
  ...(definition.conditional === true ? (['version_mismatch'] as const) : []),
  'unavailable',
  'internal',
];

const refusalsOf = (definition: Route): Json => {
  const codes = [...new Set([...generalRefusals(definition), ...(definition.refusals ?? [])])];
  const byStatus: Json = {};
  for (const status of new Set(codes.map((code) => kindOf(code).status)))
    byStatus[status] = {
      description: codes.filter((code) => kindOf(code).status === status).join(', '),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    };
  return byStatus;
};

const MEDIA = {
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  raw: 'application/json',
} as const;

const POSITION = { schema: { type: 'string' }, description: 'The position of the write, when there was one' };

const responseOf = (definition: Route, status: number, spec: ResponseSpec, components: Components): Json => {
  const { description, schema, type, alternatives = {} } = spec;
  const schemaOf = (one: TSchema | undefined): Json => ({
    schema: one === undefined ? { type: 'string' } : components.hoist(plain(one)),
  });
  const others = Object.entries(alternatives).map(([media, item]) => [media, schemaOf(item)] as const);
  return {
    description,
    ...(isPositioned(definition, status) && { headers: { 'X-Event-Position': POSITION } }),
    ...((schema ?? type) !== undefined && {
      content: { [type ?? 'application/json']: schemaOf(schema), ...Object.fromEntries(others) },
    }),
  };
};

const requestBodyOf = (definition: Route, components: Components): Json => ({
  required: definition.bodyOptional !== true,
  content: {
    [MEDIA[definition.consumes ?? 'json']]: {
      schema: definition.body === undefined ? { type: 'object' } : components.hoist(plain(definition.body)),
    },
  },
});

const operationOf = (definition: Route, components: Components): Json => {
  const { operationId, tag, summary, description, access } = definition;
  const responses: Json = {};
  for (const [status, spec] of Object.entries(definition.responses))
    responses[status] = responseOf(definition, Number(status), spec, components);
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    security: access === 'public' ? [] : [{ bearer: [] }],
    ...(access !== 'public' && { 'x-roles': access }),
    parameters: [
      ...parametersOf(definition.params, 'path'),
      ...parametersOf(definition.query, 'query'),
      ...headersOf(definition),
    ],
    ...(takesBody(definition) && { requestBody: requestBodyOf(definition, components) }),
    responses: { ...refusalsOf(definition), ...responses },
  };
};

export interface ApiInfo {
  readonly version: string;
  readonly publicBaseUrl: string;
}

/** The OpenAPI 3.1 document of the routes: made from the same schemas that requests are validated with. */
export const openApiOf = (routes: readonly Route[], info: ApiInfo): Json => {
  const components = new Components();
  components.hoist(plain(ProblemSchema));
  const paths: Record<string, Json> = {};
  for (const definition of routes.filter(({ hidden }) => hidden !== true))
    (paths[definition.path] ??= {})[definition.method] = operationOf(definition, components);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Stealth Recovery',
      version: info.version,
      description: 'Takes failed payments in, wins them back, and proves how.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: info.publicBaseUrl }],
    tags: [...new Set(routes.filter(({ hidden }) => hidden !== true).map(({ tag }) => tag))].map((name) => ({
      name,
    })),
    paths,
    components: {
      schemas: components.schemas,
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
};
