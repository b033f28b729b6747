import { DAY, earliest, HOUR, type Instant } from '../kernel/clock.js';
import type { Client } from './client.js';
import { deliver, type Merchant } from './intake.js';
import type { Story } from './stories.js';
import { intentSucceeded, invoicePaid } from './stripeEvents.js';

/** What GET /v1/recoveries tells that the demo goes by. */
export interface Recovery {
  readonly id: string;
  readonly transaction_ref: string;
  readonly status: 'active' | 'succeeded' | 'exhausted' | 'expired' | 'cancelled';
  readonly notifications: readonly { readonly sent_at: string | null }[];
}

export interface Scene {
  readonly client: Client;
  readonly merchant: Merchant;
  readonly now: Date;
}

const form = (choice: 'pay' | 'decline') => ({
  method: 'POST' as const,
  headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  body: `choice=${choice}`,
});

/** The newest mail of a recovery, as the mail catcher lists it, and the link in it. */
export const linkOf = async (client: Client, recoveryId: string): Promise<string> => {
  const { text: list } = await client.send('/dev/mail', {}, 200);
  const ids = [...list.matchAll(/href="\/dev\/mail\/([^"/]+)"/g)].map((match) => match[1] ?? '');
  const newest = ids
    .filter((id) => id.startsWith(`${recoveryId}.`))
    .sort()
    .at(-1);
  if (newest === undefined) throw new Error(`No mail was caught for recovery ${recoveryId}.`);
  const { text: mail } = await client.send(`/dev/mail/${newest}`, {}, 200);
  const link = /href="([^"]*\/r\/[^"]+)"/.exec(mail)?.[1];
  if (link === undefined) throw new Error(`The mail ${newest} holds no link.`);
  return link;
};

/** As the customer's browser does it: follow the link, press the button, press the checkout's button. */
const payByLink = async (client: Client, link: string, choices: readonly ('pay' | 'decline')[]) => {
  await client.send(link, {}, 200);
  if (choices.length === 0) return;
  const { location: checkout } = await client.send(`${link}/pay`, { method: 'POST' }, 303);
  if (checkout === null) throw new Error('The pay button leads nowhere.');
  await client.send(checkout, {}, 200);
  for (const choice of choices) {
    const { location: back } = await client.send(checkout, form(choice), 200, 303);
    if (back !== null) await client.send(back, {}, 200);
  }
};

/** Does what the story says. @returns it in words */
const perform = async (scene: Scene, story: Story, recovery: Recovery): Promise<string> => {
  const { client, merchant, now } = scene;
  const { deed, name, ref } = story;
  switch (deed?.does) {
    case 'looks':
      await payByLink(client, await linkOf(client, recovery.id), []);
      return `${name} opens the mailed link, looks, and leaves (${ref})`;
    case 'pays':
      await payByLink(client, await linkOf(client, recovery.id), ['pay']);
      return `${name} opens the mailed link and pays (${ref})`;
    case 'pays_at_second_try':
      await payByLink(client, await linkOf(client, recovery.id), ['decline', 'pay']);
      return `${name} opens the link and pays with a second card (${ref})`;
    case 'pays_elsewhere':
      await deliver(client, merchant, intentSucceeded(story, now), now);
      return `${name} pays in the shop: payment_intent.succeeded (${ref})`;
    case 'psp_retries':
      await deliver(client, merchant, invoicePaid(story, now), now);
      return `Stripe's own retry gets through: invoice.payment_succeeded (${ref})`;
    case 'merchant_cancels':
      await client.write('POST', `/v1/recoveries/${recovery.id}/cancel`, {
        reason: 'the order was returned',
      });
      return `the merchant cancels a recovery: the order was returned (${ref})`;
    case undefined:
      return '';
    default:
      return deed satisfies never;
  }
};

/** When the deed is done; undefined before its mail is sent. */
const dueAt = ({ deed }: Story, { notifications }: Recovery, start: Date): Date | undefined => {
  if (deed === undefined) return undefined;
  if ('day' in deed) return new Date(start.getTime() + deed.day * DAY);
  const sent = notifications[deed.mail - 1]?.sent_at ?? undefined;
  return sent === undefined ? undefined : new Date(Date.parse(sent) + deed.hours * HOUR);
};

interface Plan {
  readonly story: Story;
  readonly recovery: Recovery;
  readonly at: Date;
}

/** The people beside the system: each acts once, when the time has come. */
export class People {
  readonly #waiting: Set<Story>;

  constructor(
    stories: readonly Story[],
    private readonly start: Date,
  ) {
    this.#waiting = new Set(stories.filter(({ deed }) => deed !== undefined));
  }

  /** @returns what they did, in words */
  async act(scene: Scene, recoveries: readonly Recovery[]): Promise<readonly string[]> {
    const said: string[] = [];
    for (const { story, recovery, at } of this.#plans(recoveries)) {
      if (at > scene.now) continue;
      this.#waiting.delete(story);
      said.push(await perform(scene, story, recovery));
    }
    return said;
  }

  /** When the next of them acts, as far as that is known. */
  nextDue(recoveries: readonly Recovery[]): Instant | undefined {
    return earliest(...this.#plans(recoveries).map(({ at }) => at.toISOString()));
  }

  #plans(recoveries: readonly Recovery[]): readonly Plan[] {
    return [...this.#waiting].flatMap((story) => {
      const recovery = recoveries.find(({ transaction_ref }) => transaction_ref === story.ref);
      const at = recovery?.status === 'active' ? dueAt(story, recovery, this.start) : undefined;
      return recovery === undefined || at === undefined ? [] : [{ story, recovery, at }];
    });
  }
}
