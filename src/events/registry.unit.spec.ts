import { expect } from 'chai';
import type { RecordedEvent } from './envelope.js';
import { assertValid, currentVersion, upcast, upcasterOf } from './registry.js';

const event = (type: string, data: object, schema_version: number): RecordedEvent => ({
  id: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
  stream: 'user-7c9e6679-7425-40de-944b-e07fc1f90ae7',
  revision: 0n,
  position: 7n,
  type,
  data,
  metadata: {
    org_id: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
    actor: { type: 'system', id: 'test' },
    correlation_id: 'a',
    causation_id: 'a',
    command_id: 'a',
    schema_version,
    occurred_at: '2026-01-01T00:00:00.000Z',
  },
  recorded_at: '2026-01-01T00:00:00.000Z',
});

describe('registry', () => {
  const twice = upcasterOf({
    LoginFailed: [
      (data) => ({ ...(data as object), second: true }),
      (data) => ({ ...(data as object), third: true }),
    ],
  });

  it('brings a stored event to the newest version, from whichever it is', () => {
    expect(twice(event('LoginFailed', { a: 1 }, 1)).data).to.deep.equal({ a: 1, second: true, third: true });
    expect(twice(event('LoginFailed', { a: 1 }, 2)).data).to.deep.equal({ a: 1, third: true });
    const newest = event('LoginFailed', { a: 1 }, 3);
    expect(twice(newest)).to.equal(newest);
    expect(twice(event('LoginFailed', {}, 1)).metadata.schema_version).to.equal(3);
  });

  it('refuses an event of a version or a type that it does not know', () => {
    expect(() => twice(event('LoginFailed', {}, 4))).to.throw('LoginFailed at 7 is of version 4');
    expect(() => upcast(event('LoginFailed', {}, 2))).to.throw('this code knows 1');
    expect(() => upcast(event('Unheard', {}, 1))).to.throw('unknown event type Unheard at 7');
  });

  it('holds new events to their schemas', () => {
    expect(currentVersion('LoginFailed')).to.equal(1);
    assertValid('LoginFailed', { failed_at: '2026-01-01T00:00:00.000Z' });
    for (const failed_at of [
      '0001-01-01T00:00:00+01:00',
      '9999-12-31T23:59:59-01:00',
      '2026-02-30T00:00:00Z',
    ])
      expect(() => assertValid('LoginFailed', { failed_at })).to.throw('does not meet its schema');
    expect(() => assertValid('Unheard', {})).to.throw('unknown event type');
  });
});
