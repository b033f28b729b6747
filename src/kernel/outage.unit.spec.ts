import { expect } from 'chai';
import { DomainError } from './errors.js';
import { isOutage, mayPass } from './outage.js';

const coded = (code: string): Error => Object.assign(new Error('failed'), { code });

describe('isOutage', () => {
  const outages: Record<string, unknown> = {
    'a refused connection': coded('ECONNREFUSED'),
    'a server that shuts down': coded('57P01'),
    'too many connections': coded('53300'),
    'a lost race': coded('40001'),
    'a deadlock': coded('40P01'),
    'a lock that others keep': coded('55P03'),
    'a name that cannot be looked up': coded('EAI_AGAIN'),
    'a name that is none': coded('ENOTFOUND'),
    'a host that cannot be reached': coded('EHOSTUNREACH'),
    'a network that cannot be reached': coded('ENETUNREACH'),
    'a database that is being restored': coded('25006'),
    'a connection that broke': new Error('Connection terminated unexpectedly'),
    'a connection that nobody answers on': new Error('Connection terminated due to connection timeout'),
    'a connection that fell silent': new Error('Query read timeout'),
    'a full pool': new Error('timeout exceeded when trying to connect'),
    'an event store that is away': new DomainError('unavailable', 'away'),
    "the event store client's word for it": Object.assign(new Error('x'), { type: 'unavailable' }),
    'an outage as the cause': new Error('append failed', { cause: coded('ECONNRESET') }),
    'several refused addresses': new AggregateError([coded('ECONNREFUSED')]),
  };
  for (const [what, error] of Object.entries(outages))
    it(`takes ${what} for one`, () => {
      expect(isOutage(error)).to.equal(true);
      expect(mayPass(error)).to.equal(true);
    });

  const timeout = coded('57014');
  it('does not take a statement that takes too long for one, though it may pass', () => {
    expect(isOutage(timeout)).to.equal(false);
    expect(mayPass(timeout)).to.equal(true);
  });

  const faults: Record<string, unknown> = {
    'a defect': new TypeError('x is undefined'),
    'a broken rule': new DomainError('recovery_closed', 'closed'),
    'a constraint': coded('23514'),
    'a value that does not fit': coded('22P02'),
    'a word that is none': 'thrown',
  };
  for (const [what, error] of Object.entries(faults))
    it(`does not take ${what} for one`, () => {
      expect(isOutage(error)).to.equal(false);
      expect(mayPass(error)).to.equal(false);
    });
});
