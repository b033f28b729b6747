import { expect } from 'chai';
import { RealLife } from '../../../test/support/cards/realLife.js';

const HISTORIES = 1_000;

/** What has to have happened, so that it is sure that the limits were tried. */
const enough: Readonly<Record<string, number>> = {
  ...{ declined: 2_000, succeeded: 150, scheduled: 3_000, died: 200 },
  ...{ 'at once': 500, 'told to stop': 100, cancelled: 100 },
};

describe('property: one card, several recoveries, lived by the workers themselves', () => {
  it('no charge and no schedule exceeds a limit or follows what forbids it', async () => {
    const happened: Record<string, number> = {};
    for (let seed = 1; seed <= HISTORIES; seed++) {
      const life = new RealLife(seed);
      await life.live().catch((cause: unknown) => {
        throw new Error(`RealLife(${seed}): ${(cause as Error).message}`, { cause });
      });
      for (const [what, count] of Object.entries(life.counts)) happened[what] = (happened[what] ?? 0) + count;
    }
    for (const [what, least] of Object.entries(enough))
      expect(happened[what] ?? 0, what).to.be.at.least(least);
  }).timeout(300_000);
});
