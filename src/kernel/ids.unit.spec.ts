import { expect } from 'chai';
import fc from 'fast-check';
import { v4, v5 } from 'uuid';
import { deriveId, eventIdOf, isUuid, userIdOf } from './ids.js';

const NAMESPACE = '8f0d2b43-3c0a-5d1e-9f57-6a1c6f0f3b11';

describe('derived ids', () => {
  it('property: are UUIDv5 of their parts, as the uuid package makes them', () =>
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (parts) => {
        expect(deriveId(...parts)).to.equal(v5(JSON.stringify(parts), NAMESPACE));
      }),
    ));

  it('property: an event id is the UUIDv5 of its index within its command', () =>
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat(), (random, index) => {
        const commandId = v4({ random });
        expect(eventIdOf(commandId, index)).to.equal(v5(String(index), commandId));
      }),
    ));

  it('of parts do not run into each other', () =>
    expect(deriveId('ab', 'c')).not.to.equal(deriveId('a', 'bc')));

  it('of users differ by key, not by the case of the address', () => {
    const [one, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    expect(userIdOf(' Ada@Example.com', one)).to.equal(userIdOf('ada@example.com', one));
    expect(userIdOf('ada@example.com', one)).not.to.equal(userIdOf('ada@example.com', other));
    expect(isUuid(userIdOf('ada@example.com', one))).to.equal(true);
  });
});
