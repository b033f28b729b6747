import { Client } from './client.js';
import { showFigures } from './closing.js';
import { nextMorning, tick } from './clock.js';
import { showcase } from './decided.js';
import { showDecided } from './decidedScreen.js';
import { type Figures, readFigures } from './figures.js';
import { type Merchant, takeIn, type Taken } from './intake.js';
import { linkOf } from './people.js';
import { play } from './play.js';
import { createScreen, type Screen, type ScreenOptions, silentScreen } from './screen.js';
import type { DemoSettings, DemoSystem } from './system.js';

/*
 * The demo is a client like any other: everything goes through the API, the customer's pages and the mail catcher.
 * Only the clock is in its hands.
 */

interface Login {
  readonly email: string;
  readonly password: string;
  readonly token: string;
}

interface Registered extends Login, Merchant {
  readonly slug: string;
}

interface Show {
  readonly system: DemoSystem;
  readonly client: Client;
  readonly screen: Screen;
}

const PASSWORD = 'correct-horse-demo';
const POLICY = {
  max_retries: 4,
  initial_delay_minutes: 12 * 60,
  backoff_multiplier: 2,
  max_delay_minutes: 5 * 24 * 60,
  enabled_channels: ['email'],
};

/** Registers a merchant of this run's own, connects the sandbox PSP and sets how to retry. */
const setUp = async ({ system, client, screen }: Show): Promise<Registered> => {
  const slug = `demo-${system.now().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15)}`;
  const email = `owner@${slug}.example.com`;
  const body = {
    email,
    password: PASSWORD,
    full_name: 'Demo Owner',
    org_name: 'Nimbus Coffee',
    org_slug: slug,
  };
  const session = await client.write<{ access_token: string; organization: { id: string } }>(
    'POST',
    '/v1/auth/register',
    body,
  );
  client.useToken(session.access_token);
  screen.line(`  merchant    Nimbus Coffee (${slug}), registered`);
  const webhookSecret = `whsec_${slug}`;
  await client.write('PUT', '/v1/psp/connection', { provider: 'sandbox', webhook_secret: webhookSecret });
  screen.line('  PSP         the sandbox, with a secret for signed webhooks');
  await client.write('PUT', '/v1/retry/policies/active', POLICY);
  screen.line('  policy      4 retries after 12 h, 1, 2 and 4 days, and mails beside them');
  return {
    slug,
    email,
    password: PASSWORD,
    token: session.access_token,
    orgId: session.organization.id,
    webhookSecret,
  };
};

const takeInBatch = async ({ system, client, screen }: Show, merchant: Merchant): Promise<Taken> => {
  screen.line();
  screen.heading('Failed payments come in');
  const taken = await takeIn(client, merchant, system.now(), (sent, of) =>
    screen.status(`  ${sent} of ${of} messages`),
  );
  const { payments, webhooks, apiCalls, repeats } = taken;
  const said = `${payments} payments: ${webhooks} signed Stripe events and ${apiCalls} API calls`;
  screen.status(`  ${said}, ${repeats} of them repeats`, true);
  screen.done();
  return taken;
};

/** One more failure, for the reader to play the customer. */
const leaveOneOpen = async ({ system, client }: Show): Promise<string> => {
  const { recovery_id } = await client.write<{ recovery_id: string }>('POST', '/v1/events/payment_failed', {
    transaction_ref: 'YOURS-1',
    amount: 4_900,
    currency: 'EUR',
    customer: { email: 'you@example.com', name: 'You' },
    gateway: 'sandbox',
    failure: { code: 'authentication_required', decline_code: 'authentication_required' },
  });
  await system.settled();
  return linkOf(client, recovery_id);
};

const showWayAround = ({ system, client, screen }: Show, login: Login, figures: Figures): void => {
  const { baseUrl } = client;
  const period = `from=${figures.from.slice(0, 10)}&to=${figures.to.slice(0, 10)}`;
  screen.line();
  screen.heading('Look around');
  screen.line(`  API         ${baseUrl}, described at ${baseUrl}/docs`);
  screen.line(`  mails       ${baseUrl}/dev/mail`);
  screen.verbatim(`              ${system.mailFolder}`);
  screen.line(`  login       ${login.email}  ${login.password}`);
  screen.line('  try');
  screen.verbatim(
    `curl -s -H 'Authorization: Bearer ${login.token}' '${baseUrl}/v1/analytics/funnel?${period}'`,
  );
};

const serveOn = async (show: Show, signal: AbortSignal): Promise<void> => {
  const { screen, system } = show;
  screen.line();
  screen.line('  Be the customer: this payment is still open.');
  screen.verbatim(`  ${await leaveOneOpen(show)}`);
  screen.line();
  const now = system.now().toISOString().slice(0, 16).replace('T', ' ');
  screen.line(`  Serving on; the demo's clock goes on from ${now}. Ctrl-C ends.`);
  await tick(system, signal);
};

/** @throws Error in plain words, also when the signal aborts */
export const runDemo = async (
  system: DemoSystem,
  settings: DemoSettings,
  output: ScreenOptions,
): Promise<void> => {
  const { json, exit, signal } = settings;
  const screen = json ? silentScreen : createScreen(output);
  const show: Show = { system, client: new Client(system.baseUrl, signal), screen };
  const start = nextMorning(system.now());
  const merchant = await setUp(show);
  system.advanceTo(start);
  const taken = await takeInBatch(show, merchant);
  screen.line();
  screen.heading('Weeks pass, from one due timer to the next');
  await play({ ...show, merchant, start });
  const figures = await readFigures(show.client, { start, system, taken });
  system.advanceTo(nextMorning(system.now())); // beyond the period of the figures
  const decided = await showcase(show.client, system);
  const { email, password, token } = merchant;
  const { baseUrl, mailFolder } = system;
  const urls = { api: baseUrl, docs: `${baseUrl}/docs`, mails: `${baseUrl}/dev/mail` };
  if (json)
    output.write(
      JSON.stringify({
        organization: merchant.slug,
        ...figures,
        decided,
        login: { email, password, token },
        urls,
        mailFolder,
      }),
    );
  showFigures(screen, figures);
  showDecided(screen, decided);
  showWayAround(show, merchant, figures);
  if (!exit) await serveOn(show, signal);
};
