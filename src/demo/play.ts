import { DAY, earliest } from '../kernel/clock.js';
import type { Client } from './client.js';
import { nextStop } from './clock.js';
import type { Merchant } from './intake.js';
import { People, type Recovery } from './people.js';
import type { Screen } from './screen.js';
import { stories } from './stories.js';
import type { DemoSystem } from './system.js';

export interface Play {
  readonly system: DemoSystem;
  readonly client: Client;
  readonly merchant: Merchant;
  readonly screen: Screen;
  /** When the batch came in. */
  readonly start: Date;
}

const DAYS = 40;

const stamp = (at: Date): string => at.toISOString().slice(0, 16).replace('T', ' ');

const recoveriesOf = async (client: Client): Promise<readonly Recovery[]> =>
  (await client.get<{ data: readonly Recovery[] }>('/v1/recoveries?limit=200')).data;

interface Counts {
  readonly recovered: number;
  readonly waiting: number;
  readonly lost: number;
  readonly cancelled: number;
}

const countsOf = (recoveries: readonly Recovery[]): Counts => {
  const count = (...statuses: readonly Recovery['status'][]): number =>
    recoveries.filter(({ status }) => statuses.includes(status)).length;
  return {
    recovered: count('succeeded'),
    waiting: count('active'),
    lost: count('exhausted', 'expired'),
    cancelled: count('cancelled'),
  };
};

const BAR = 24;
/** Beside the bar, in columns. */
const WORDS = 76;

const barOf = ({ recovered, waiting, lost, cancelled }: Counts): string => {
  const all = recovered + waiting + lost + cancelled;
  const [full, light] = [recovered, waiting].map((count) => Math.round((count / all) * BAR)) as [
    number,
    number,
  ];
  return '█'.repeat(full) + '░'.repeat(light) + '·'.repeat(Math.max(0, BAR - full - light));
};

const wordsOf = ({ recovered, waiting, lost, cancelled }: Counts): string =>
  `recovered ${recovered}, waiting ${waiting}, given up ${lost}, cancelled ${cancelled}`;

/** The saga and the scheduler work by themselves; what is done here is to let time pass and to play the people. */
export const play = async ({ system, client, merchant, screen, start }: Play): Promise<void> => {
  const people = new People(stories, start);
  let said = '';
  for (;;) {
    await system.settled();
    const now = system.now();
    const day = Math.floor((now.getTime() - start.getTime()) / DAY);
    const prefix = `  day ${String(day).padStart(2)}  `;
    const did = await people.act({ client, merchant, now }, await recoveriesOf(client));
    did.forEach((one) => screen.line(prefix + one));
    if (did.length > 0) await system.settled();
    const recoveries = await recoveriesOf(client);
    const counts = countsOf(recoveries);
    const words = wordsOf(counts);
    const bar = screen.columns > WORDS + BAR ? `${barOf(counts)}  ` : '';
    screen.status(`${prefix}${stamp(now)}  ${bar}${words}`, words !== said);
    said = words;
    const due = earliest(await system.nextDue(), people.nextDue(recoveries));
    if (due === undefined || counts.waiting === 0 || day >= DAYS) break;
    system.advanceTo(nextStop(start, now, new Date(due)));
  }
  screen.done();
};
