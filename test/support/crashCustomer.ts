/** A customer who follows the mailed link to the sandbox's checkout and pays there, if the system lives long enough. */
import { setTimeout as sleep } from 'node:timers/promises';
import { linkTo } from './crashLedger.js';
import type { CrashWorld } from './crashWorld.js';
import { type Reply, type Request, send } from './systemClient.js';

const LOOK_EVERY = 10;
/** Patience with a page that does not answer: then the customer never comes back. */
const TRIES = 3;

const ask = async (world: CrashWorld, path: string, request: Request): Promise<Reply | undefined> => {
  for (let tries = 0; tries < TRIES; tries++) {
    const { port } = world;
    const reply =
      port === undefined
        ? undefined
        : await send(`http://127.0.0.1:${port}${path}`, request).catch(() => undefined);
    if (reply !== undefined && reply.status < 500) return reply;
    await sleep(LOOK_EVERY);
  }
  return undefined;
};

/** Pays once only: a payment that is cut is not told to the system again. */
export const payByLink = async (world: CrashWorld, address: string): Promise<void> => {
  let link: string | undefined;
  while (link === undefined && !world.closed) {
    await sleep(LOOK_EVERY);
    link = linkTo(world.mail, address);
  }
  if (link === undefined || (await ask(world, link, {}))?.status !== 200) return;
  const checkout = await ask(world, `${link}/pay`, { method: 'POST' });
  const location = checkout?.headers.get('location');
  if (!location?.includes('/sandbox/checkout/')) return;
  const { port } = world;
  const page = `http://127.0.0.1:${port}${new URL(location).pathname}`;
  await send(page, { form: { choice: 'pay' } }).catch(() => undefined);
};
