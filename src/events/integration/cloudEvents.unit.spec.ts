import { expect } from 'chai';
import { fromWire, toWire as toWireOf, UnreadableMessage, type WireMessage } from './cloudEvents.js';
import type { PublicMessage } from './message.js';

const installation = '1e7868f9-28e0-4f5a-8a56-0f6d1b9a2c33';
const toWire = (one: PublicMessage): WireMessage => toWireOf(one, installation);
const payment = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
const message: PublicMessage = {
  id: '0f8fad5b-d9cb-469f-a165-70867728950e',
  type: 'payment.failed',
  key: payment,
  org_id: '9a3b6d1c-14a5-4a8e-8a52-0d6c4c4c1c11',
  time: '2026-03-01T10:00:00.000Z',
  position: '4711',
  correlation_id: 'c-1',
  request_id: 'r-1',
  data: { payment_id: payment, trigger_id: 'évt_1', late: false },
};

describe('CloudEvents on Kafka', () => {
  it('carries the attributes as headers and the data alone as the value', () => {
    expect(toWire(message)).to.deep.equal({
      key: payment,
      headers: {
        'content-type': 'application/json',
        ce_specversion: '1.0',
        ce_id: message.id,
        ce_source: `/stealth-recovery/${installation}`,
        ce_type: 'stealth-recovery.payment.failed',
        ce_subject: payment,
        ce_time: '2026-03-01T10:00:00.000Z',
        ce_partitionkey: payment,
        ce_orgid: message.org_id,
        ce_logposition: '4711',
        ce_correlationid: 'c-1',
        ce_requestid: 'r-1',
      },
      value: JSON.stringify(message.data),
    });
  });

  it('reads back what was written, with and without a request', () => {
    const { request_id: _request, ...bare } = message;
    for (const one of [message, bare as PublicMessage]) expect(fromWire(toWire(one))).to.deep.equal(one);
  });

  it('passes over types of a newer version and reads messages with a field more', () => {
    const wire = toWire(message);
    const newer = { ...wire.headers, ce_type: 'stealth-recovery.payment.refunded' };
    expect(fromWire({ ...wire, headers: newer })).to.equal(undefined);
    const more = { ...message.data, reason: 'new' };
    expect(fromWire({ ...wire, value: JSON.stringify(more) })?.data).to.deep.equal(more);
  });

  const without = (name: string): WireMessage => {
    const { [name]: _left, ...headers } = toWire(message).headers;
    return { ...toWire(message), headers };
  };
  const withHeader = (name: string, value: string): WireMessage => {
    const wire = toWire(message);
    return { ...wire, headers: { ...wire.headers, [name]: value } };
  };
  const unreadable: Record<string, WireMessage> = {
    'no CloudEvent': { key: payment, headers: {}, value: '{}' },
    'no id': without('ce_id'),
    'another version of the specification': withHeader('ce_specversion', '0.3'),
    'a time that is none': withHeader('ce_time', 'yesterday'),
    'a position that is none': withHeader('ce_logposition', '-1'),
    'no JSON': { ...toWire(message), value: '{' },
    'data of another form': { ...toWire(message), value: '{"payment_id":1}' },
    'no data': { ...toWire(message), value: '' },
  };
  for (const [what, wire] of Object.entries(unreadable))
    it(`refuses ${what}`, () => {
      expect(() => fromWire(wire)).to.throw(UnreadableMessage);
    });

  it('publishes nothing that a consumer could not read', () => {
    expect(() => toWire({ ...message, position: 'x' })).to.throw(UnreadableMessage);
    expect(() => toWire({ ...message, data: { ...message.data, payment_id: '' } } as PublicMessage)).to.throw(
      UnreadableMessage,
    );
  });
});
