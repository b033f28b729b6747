import { expect } from 'chai';
import { runCli } from '../../test/support/cli.js';
import type { LogAdmin } from './services.js';

const [MINE, OTHERS] = ['7c9e6679-7425-40de-944b-e07fc1f90ae7', '0b5e7d52-65d4-4f6a-8f30-3ad7b1f2a5d1'];

/** A log and what is done to it. */
const logOf = (installation: string | undefined) => {
  const done: string[] = [];
  const owner = installation === undefined ? undefined : { installation, since: '2026-11-23T10:00:00.000Z' };
  const log: LogAdmin = {
    status: () => Promise.resolve({ installation: MINE, owner }),
    adopt: () => Promise.resolve(void done.push('adopted')),
  };
  return { log, done };
};

describe('recovery events adopt', () => {
  const adopt = async (owner: string | undefined, ...args: string[]) => {
    const { log, done } = logOf(owner);
    return { ...(await runCli(['events', 'adopt', ...args], { services: { log } })), done };
  };

  it('takes a log of another installation only when told so', async () => {
    const unsure = await adopt(OTHERS);
    expect([unsure.code, unsure.done]).to.deep.equal([3, []]);
    expect(unsure.err).to.include(OTHERS).and.include('--yes');
    const sure = await adopt(OTHERS, '--yes');
    expect([sure.code, sure.done]).to.deep.equal([0, ['adopted']]);
    expect(sure.out).to.include(MINE);
  });

  it("takes what is nobody's or its own already", async () => {
    for (const owner of [undefined, MINE]) {
      const { code, out } = await adopt(owner, '--json');
      expect([code, JSON.parse(out)]).to.deep.equal([0, { installation: MINE }]);
    }
  });

  it('has nothing to take where the log is in Postgres', async () => {
    const { code, err } = await runCli(['events', 'adopt', '--yes']);
    expect(code).to.equal(2);
    expect(err).to.include('EVENTSTORE_URL');
  });
});
