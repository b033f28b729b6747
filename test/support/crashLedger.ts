/** What the log, the PSP's own books and the mail server say of the same recoveries, to be compared. */
import type { RecordedEvent } from '../../src/events/envelope.js';
import { type SandboxCharge, sandboxCalls, sandboxCharges } from '../../src/infra/psp/sandboxLedger.js';
import type { PaymentId } from '../../src/kernel/ids.js';
import type { TestDatabase } from './postgres.js';
import type { TestSmtpServer } from './smtpServer.js';

type Data = Record<string, unknown>;

export interface Attempt {
  readonly key: string;
  readonly recovery: string;
  readonly payment: string;
  readonly outcomes: string[];
}

export interface MailStep {
  readonly messageIds: Set<string>;
  started: number;
  sent: number;
  givenUp: number;
}

export interface RecoveryStory {
  readonly id: string;
  payment: string;
  readonly types: string[];
  readonly attempts: Attempt[];
  /** Mails to the customer by step, to the merchant by cause. */
  readonly steps: Map<number | string, MailStep>;
}

const dataOf = (event: RecordedEvent): Data => event.data as Data;

const tellAttempt = (story: RecoveryStory, { type }: RecordedEvent, data: Data): void => {
  if (type === 'RetryStarted') {
    const key = String(data['idempotency_key']);
    story.attempts.push({ key, recovery: story.id, payment: story.payment, outcomes: [] });
  }
  if (type === 'RetrySucceeded' || type === 'RetryDeclined')
    story.attempts[Number(data['attempt']) - 1]?.outcomes.push(type);
};

const tellMail = (story: RecoveryStory, { type }: RecordedEvent, data: Data): void => {
  const number = Number(data['step']);
  const step = story.steps.get(number) ?? { messageIds: new Set<string>(), started: 0, sent: 0, givenUp: 0 };
  if (type === 'NotificationStarted') {
    step.started++;
    step.messageIds.add(String(data['message_id']));
    story.steps.set(number, step);
  }
  if (type === 'NotificationSent') step.sent++;
  if (type === 'NotificationFailed' && data['permanent'] === true) step.givenUp++;
};

const tellAlert = (story: RecoveryStory, { type }: RecordedEvent, data: Data): void => {
  const cause = String(data['cause']);
  const known = story.steps.get(cause);
  const alert = known ?? { messageIds: new Set<string>(), started: 0, sent: 0, givenUp: 0 };
  if (type === 'RecoveryEscalated') story.steps.set(cause, alert);
  if (type === 'MerchantAlertStarted') {
    alert.started++;
    alert.messageIds.add(String(data['message_id']));
  }
  if (type === 'MerchantAlertSent') alert.sent++;
  const over = type === 'MerchantAlertFailed' && data['permanent'] === true;
  if (over || type === 'MerchantAlertSkipped') alert.givenUp++;
};

/** Each recovery as its stream tells it. */
export const recoveryStories = (events: readonly RecordedEvent[]): Map<string, RecoveryStory> => {
  const stories = new Map<string, RecoveryStory>();
  for (const event of events) {
    if (!event.stream.startsWith('recovery-')) continue;
    const id = event.stream.slice('recovery-'.length);
    const story: RecoveryStory = stories.get(id) ?? {
      id,
      payment: '',
      types: [],
      attempts: [],
      steps: new Map(),
    };
    stories.set(id, story);
    const data = dataOf(event);
    if (event.type === 'RecoveryStarted') story.payment = String(data['payment_id']);
    story.types.push(event.type);
    tellAttempt(story, event, data);
    tellMail(story, event, data);
    tellAlert(story, event, data);
  }
  return stories;
};

export interface Books {
  readonly charges: readonly SandboxCharge[];
  /** Keys of every request to charge or look up that the PSP got, answered or not. */
  readonly asked: ReadonlySet<string>;
}

export const pspBooks = async ({ pool }: TestDatabase): Promise<Books> => {
  const charges = await sandboxCharges(pool);
  const { rows } = await pool.query<{ payment_id: PaymentId }>(
    'SELECT DISTINCT payment_id FROM sandbox_psp.calls',
  );
  const calls = await Promise.all(rows.map(({ payment_id }) => sandboxCalls(pool, payment_id)));
  const charging = calls.flat().filter(({ kind }) => kind !== 'checkout');
  return { charges, asked: new Set(charging.map((call) => call.idempotency_key)) };
};

/** The payment link of the first mail to a customer. */
export const linkTo = ({ received }: TestSmtpServer, address: string): string | undefined => {
  const mail = received.find(({ raw }) => raw.includes(address));
  return mail && /\/r\/[\w-]{48}/.exec(mail.raw.replace(/=\r?\n/g, ''))?.[0];
};

/** How many copies of each Message-ID arrived. */
export const copiesOf = ({ received }: TestSmtpServer): Map<string, number> => {
  const copies = new Map<string, number>();
  for (const { raw } of received) {
    const id = /^Message-ID: (<[^>]+>)/im.exec(raw)?.[1] ?? 'none';
    copies.set(id, (copies.get(id) ?? 0) + 1);
  }
  return copies;
};
