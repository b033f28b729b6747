import { randomUUID } from 'node:crypto';
import { Parser } from '@asyncapi/parser';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { expect } from 'chai';
import { parse } from 'yaml';
import { toWire } from '../src/events/integration/cloudEvents.js';
import { publicMessages, type PublicMessage } from '../src/events/integration/message.js';
import { asyncApiFile, asyncApiText } from './support/asyncApiFile.js';

const payment = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
const envelope = {
  id: '0f8fad5b-d9cb-469f-a165-70867728950e',
  key: payment,
  org_id: '9a3b6d1c-14a5-4a8e-8a52-0d6c4c4c1c11',
  time: '2026-03-01T10:00:00.000Z',
  position: '1',
  correlation_id: 'c',
};
const samples: readonly PublicMessage[] = [
  { ...envelope, type: 'payment.failed', data: { payment_id: payment, trigger_id: 't', late: true } },
  { ...envelope, type: 'payment.succeeded', data: { payment_id: payment, trigger_id: 't' } },
  {
    ...envelope,
    type: 'recovery.succeeded',
    request_id: 'r',
    data: { payment_id: payment, recovery_id: payment, source: 'link' },
  },
];

interface Described {
  readonly headers: object;
  readonly payload: object;
}

describe('docs/asyncapi.yaml', () => {
  it('says what the code does (npm run docs:asyncapi writes it)', () => {
    expect(asyncApiFile()).to.equal(asyncApiText());
  });

  it('is a valid AsyncAPI document', async () => {
    const { document, diagnostics } = await new Parser().parse(asyncApiFile());
    // Beside errors it gives advice, e.g. to name a licence.
    const errors = diagnostics.filter(({ severity }) => Number(severity) === 0);
    expect(errors).to.deep.equal([]);
    expect(document?.messages().all()).to.have.length(Object.keys(publicMessages).length);
  });

  it('describes every message as it is published', () => {
    const { components } = parse(asyncApiFile()) as {
      components: { messages: Record<string, Described> };
    };
    const ajv = new Ajv({ allErrors: true });
    formats.default(ajv);
    expect(samples.map(({ type }) => type)).to.have.members(Object.keys(publicMessages));
    for (const sample of samples) {
      const described = components.messages[sample.type.replace('.', '_')];
      const { headers, value } = toWire(sample, randomUUID());
      expect(ajv.validate(described?.headers ?? false, headers), ajv.errorsText()).to.equal(true);
      expect(ajv.validate(described?.payload ?? false, JSON.parse(value)), ajv.errorsText()).to.equal(true);
    }
  });
});
