import { expect } from 'chai';
import fc from 'fast-check';
import type { Route } from '../../src/api/route.js';
import type { TestApi } from './api.js';

const id = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
const cursorOf = (...values: unknown[]): string => Buffer.from(JSON.stringify(values)).toString('base64url');

/** What parses somewhere on the way and fails further in. */
const hostileValues = [
  '0001-01-01T00:00:00+01:00',
  '0001-01-01',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59-01:00',
  '9999-12-31T24:00:00Z',
  '2026-02-30T00:00:00.000Z',
  '-1',
  '9223372036854775808',
  '1e999',
  '\'"\\',
  cursorOf('0000-01-01T00:00:00.000Z', id),
  cursorOf('2026-02-30T00:00:00.000Z', id),
  cursorOf(['2026-01-01T00:00:00.000Z'], [id]),
  cursorOf({ a: 1 }, null),
  cursorOf(1, id),
];
const names = [
  'from',
  'to',
  'cursor',
  'limit',
  'after',
  'as_of',
  'stream',
  'type',
  'transaction_ref',
  'status',
];

const body = fc.oneof(
  fc.json().map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.dictionary(fc.string(), fc.jsonValue()).map((value) => Buffer.from(JSON.stringify(value))),
);
const query = fc.oneof(
  fc.webQueryParameters(),
  fc
    .tuple(fc.constantFrom(...names), fc.constantFrom(...hostileValues))
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`),
);
const segment = fc.oneof(fc.constant(id), fc.webSegment(), fc.constant('%00'), fc.constant('%ff'));
const input = fc.record({ body, query, segment, position: fc.string(), key: fc.string() });

/** Sends random and hostile requests to a route, none of which may be a failure of ours. */
export const fuzz = (api: TestApi, { method, path, consumes }: Route, token: string, numRuns: number) =>
  fc.assert(
    fc.asyncProperty(input, async ({ body: raw, query: search, segment: value, position, key }) => {
      const latin = (text: string): string => text.replace(/[^\x20-\x7e]/g, '');
      const type = consumes === 'form' ? 'application/x-www-form-urlencoded' : 'application/json';
      const answer = await api.call(`${path.replace(/\{\w+\}/g, value)}?${search}`, {
        method: method.toUpperCase(),
        token,
        headers: {
          'content-type': type,
          'x-min-position': latin(position),
          'idempotency-key': latin(key),
          'stripe-signature': latin(key),
        },
        ...(method !== 'get' && { raw }),
      });
      expect(answer.status, `${method} ${path}?${search}: ${answer.text}`).to.be.below(500);
    }),
    { numRuns },
  );
