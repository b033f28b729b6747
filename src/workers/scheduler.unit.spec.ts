import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { compileRules } from '../commands/rules/match.js';
import { expect } from 'chai';
import { T0 } from '../../test/support/recoverySamples.js';
import { startRecovery } from '../../test/support/startedRecovery.js';
import { MemoryEventStore } from '../infra/eventStore/memoryEventStore.js';
import { DAY, plus } from '../kernel/clock.js';
import { deriveId, type OrgId, type RecoveryId } from '../kernel/ids.js';
import { silentLogger } from '../kernel/logger.js';
import type { ChargeOutcome } from '../kernel/ports.js';
import type { Claim, ClaimRequest, TimerLeases } from '../kernel/timerLeases.js';
import { runScheduler, type SchedulerDependencies } from './scheduler.js';

const ORG = deriveId('scheduler-test') as OrgId;

/** Hands out the claims given, each once, and notes what is done with them. */
class ScriptedLeases implements TimerLeases {
  readonly requests: ClaimRequest[] = [];
  readonly released: { readonly claim: Claim; readonly seen: bigint }[] = [];
  constructor(readonly due: Claim[]) {}
  async claim(request: ClaimRequest): Promise<Claim[]> {
    this.requests.push(request);
    return request.work === 'charge' ? this.due.splice(0, request.limit) : [];
  }
  renew = async (): Promise<boolean> => true;
  async release(claim: Claim, seen: bigint): Promise<void> {
    this.released.push({ claim, seen });
  }
}

const until = async (condition: () => boolean): Promise<void> => {
  for (let i = 0; i < 500 && !condition(); i++) await sleep(5);
  expect(condition()).to.equal(true);
};

const stops: (() => void)[] = [];

const setUp = (due: Claim[], over: Partial<SchedulerDependencies> = {}) => {
  const store = new MemoryEventStore();
  const leases = new ScriptedLeases(due);
  const errors: unknown[] = [];
  const charged: string[] = [];
  const stop = new AbortController();
  const deps: SchedulerDependencies = {
    store,
    leases,
    clock: { now: () => new Date(plus(T0, DAY)) },
    faults: () => undefined,
    rulesOf: () => Promise.resolve(compileRules(0, [])),
    psp: {
      charge: async (_debt, key): Promise<ChargeOutcome> => {
        charged.push(key);
        return { status: 'succeeded', reference: 'ch' };
      },
      lookup: async () => ({ status: 'not_found' }),
      openCheckout: () => Promise.reject(new Error('not used')),
      stopRetries: () => Promise.reject(new Error('not used')),
      closeCheckout: () => Promise.reject(new Error('not used')),
    },
    sendMail: async () => ({ status: 'sent' }),
    sendAlert: async () => ({ status: 'sent' }),
    tidy: async () => undefined,
    logger: silentLogger,
    onError: (error) => errors.push(error),
    ...over,
  };
  stops.push(() => stop.abort());
  const start = () => runScheduler(deps, stop.signal);
  return { store, leases, errors, charged, start, stop: () => stop.abort() };
};

const claimOf = (recoveryId: RecoveryId, timerPosition = 0n): Claim => ({
  recoveryId,
  orgId: ORG,
  leaseId: deriveId('lease', recoveryId),
  timerPosition,
});

describe('runScheduler', () => {
  afterEach(() => stops.splice(0).forEach((stop) => stop()));

  it('does what is due and hands the recovery back, telling how far it saw', async () => {
    const world = setUp([]);
    const recoveryId = await startRecovery(world.store, ORG, 'insufficient_funds');
    const before = await world.store.head();
    world.leases.due.push(claimOf(recoveryId, before));
    const running = world.start();
    await until(() => world.leases.released.length === 1);
    world.stop();
    await running;
    expect(world.charged).to.deep.equal([`${ORG}:${recoveryId}:1`]);
    expect(world.leases.released[0]?.seen).to.equal(await world.store.head());
    expect(world.errors).to.deep.equal([]);
  });

  it('keeps the lease when nothing was due, and when the step failed, which it reports', async () => {
    const charge = () => Promise.reject(new Error('broken'));
    const psp = { charge, lookup: charge, openCheckout: charge, closeCheckout: charge, stopRetries: charge };
    const world = setUp([], { psp });
    const idle = await startRecovery(world.store, ORG, 'expired_card', 'idle');
    const broken = await startRecovery(world.store, ORG, 'insufficient_funds', 'broken');
    world.leases.due.push(claimOf(idle, (await world.store.head()) + 100n), claimOf(broken));
    const running = world.start();
    await until(() => world.errors.length === 1);
    world.stop();
    await running;
    expect(String(world.errors[0])).to.contain('broken');
    expect(world.leases.released).to.deep.equal([]);
  });

  it('finishes what is in hand when it is stopped, and begins nothing new', async () => {
    let answer: (outcome: ChargeOutcome) => void = () => undefined;
    let asked = 0;
    const charge = (): Promise<ChargeOutcome> => {
      asked++;
      return new Promise((resolve) => (answer = resolve));
    };
    const unused = () => Promise.reject(new Error('not used'));
    const psp = { charge, lookup: charge, openCheckout: unused, closeCheckout: unused, stopRetries: unused };
    const world = setUp([], { psp });
    const recoveryId = await startRecovery(world.store, ORG, 'insufficient_funds');
    world.leases.due.push(claimOf(recoveryId));
    const running = world.start();
    await until(() => asked === 1);
    world.stop();
    world.leases.due.push(claimOf(await startRecovery(world.store, ORG, 'insufficient_funds', 'later')));
    let ended = false;
    void running.then(() => (ended = true));
    await sleep(50);
    expect(ended).to.equal(false);
    answer({ status: 'succeeded', reference: 'ch' });
    await running;
    expect(asked).to.equal(1);
    expect(world.leases.released).to.have.length(1);
  });

  it('goes on when claiming and tidying fail', async () => {
    const world = setUp([], { tidy: () => Promise.reject(new Error('no table')) });
    const claim = world.leases.claim.bind(world.leases);
    let failures = 2;
    world.leases.claim = async (request) => {
      if (failures-- > 0) throw new Error('no database');
      return claim(request);
    };
    world.leases.due.push(claimOf(await startRecovery(world.store, ORG, 'insufficient_funds')));
    const running = world.start();
    await until(() => world.leases.released.length === 1);
    world.stop();
    await running;
  });

  it('leaves no listener behind however often it claims', async () => {
    const warnings: Error[] = [];
    const warn = (warning: Error) => warnings.push(warning);
    process.on('warning', warn);
    const world = setUp(
      Array.from({ length: 5_000 }, (_, i) => claimOf(deriveId('r', String(i)) as RecoveryId)),
    );
    const running = world.start();
    await until(() => world.leases.due.length === 0);
    world.stop();
    await running;
    await turn();
    process.off('warning', warn);
    expect(warnings).to.deep.equal([]);
  });

  it('says whose recoveries are in hand when it asks for more', async () => {
    const psp = {
      charge: () => new Promise<ChargeOutcome>(() => undefined),
      lookup: () => new Promise<ChargeOutcome>(() => undefined),
      openCheckout: () => Promise.reject(new Error('not used')),
      stopRetries: () => Promise.reject(new Error('not used')),
      closeCheckout: () => Promise.reject(new Error('not used')),
    };
    const world = setUp([], { psp });
    world.leases.due.push(claimOf(await startRecovery(world.store, ORG, 'insufficient_funds')));
    void world.start();
    const held = () => world.leases.requests.findLast(({ work }) => work === 'charge')?.held;
    await until(() => held()?.length === 1);
    world.stop();
    expect(held()).to.deep.equal([ORG]);
  });
});
