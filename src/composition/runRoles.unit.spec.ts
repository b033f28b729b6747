import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { silentLogger } from '../kernel/logger.js';
import { RoleStates } from './roleStates.js';
import { type Run, type RunOptions, runRoles, type Runners } from './runRoles.js';

const untilStopped: Run = (signal) =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
const never: Run = () => new Promise(() => undefined);

describe('running roles side by side', () => {
  let stop: AbortController;
  let warnings: object[];
  let states: RoleStates;
  beforeEach(() => {
    [stop, warnings, states] = [new AbortController(), [], new RoleStates()];
  });
  const run = (runners: Runners, options: Partial<RunOptions> = {}): Promise<void> => {
    const logger = { ...silentLogger, warn: (fields: object) => void warnings.push(fields) };
    states.begin(Object.keys(runners) as (keyof Runners)[]);
    return runRoles(runners, { states, logger, signal: stop.signal, ...options });
  };

  it('ends when all of them have ended, and tells meanwhile that it stops', async () => {
    const told: unknown[] = [];
    const slow: Run = async (signal) => {
      await untilStopped(signal);
      told.push(states.all());
      await sleep(20);
      states.set('saga', 'working'); // too late to tell
      told.push('ended');
    };
    const running = run({ projector: untilStopped, saga: slow });
    stop.abort();
    await running;
    const stopping = ['projector', 'saga'].map((role) => [role, 'stopping']);
    expect(told).to.deep.equal([stopping, 'ended']);
    expect(states.all()).to.deep.equal(stopping);
    expect(warnings).to.deep.equal([]);
  });

  it('stops the others when one fails, and fails with it', async () => {
    const error = new Error('broken');
    const failure = await run({ saga: untilStopped, relay: () => Promise.reject(error) }).catch(
      (thrown: unknown) => thrown,
    );
    expect(failure).to.equal(error);
  });

  it('waits for a role only so long, and says which it left', async () => {
    const running = run({ scheduler: never, saga: untilStopped }, { stopMs: 20 });
    stop.abort();
    await running;
    expect(warnings).to.deep.equal([{ roles: ['scheduler'] }]);
  });
});
