import { expect } from 'chai';
import { DomainError } from '../../kernel/errors.js';
import { createLogger } from './logger.js';

const canaries = {
  password: 'hunter2-canary',
  token: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlY2FuYXJ5',
  email: 'ada.lovelace@canary.example',
  name: 'Ada Lovelace-Canary',
  card: '4111 1111 1111 1111',
  key: 'sk_live_canary51H8x',
};
const values = Object.values(canaries);

const collect = (level = 'debug') => {
  const lines: string[] = [];
  const logger = createLogger(
    { logLevel: level, environment: 'test' },
    { write: (line: string) => void lines.push(line) },
  );
  return { logger, lines };
};

const expectClean = (lines: readonly string[]): void => {
  expect(lines).not.to.have.length(0);
  for (const line of lines)
    for (const canary of values) {
      expect(line).not.to.contain(canary);
      expect(line).not.to.contain(canary.replaceAll(' ', ''));
    }
};

describe('logger', () => {
  it('writes JSON lines with the agreed fields', () => {
    const { logger, lines } = collect();
    logger.child({ component: 'saga' }).info({ position: 12n, attempt: 3 }, 'handled');
    const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    expect(line).to.include({
      level: 'info',
      app: 'stealth-recovery',
      environment: 'test',
      component: 'saga',
      position: '12',
      attempt: 3,
      message: 'handled',
    });
    expect(line['timestamp']).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(line).not.to.have.any.keys('pid', 'hostname', 'time', 'msg');
  });

  it('keeps to its level', () => {
    const { logger, lines } = collect('warn');
    logger.info({}, 'quiet');
    expect(lines).to.have.length(0);
  });

  it('takes secrets and personal data out of fields, by name and by form, however deep', () => {
    const { logger, lines } = collect();
    const { password, token, email, name, card, key } = canaries;
    logger.info({ password, headers: { authorization: `Bearer ${token}`, cookie: token } }, 'a');
    logger.info({ user: { email, full_name: name, profile: { name } }, api_key: key }, 'b');
    logger.info({ customer: { name, email }, body: { anything: name } }, 'c');
    logger.info({ note: `mail to ${email}, paid with ${card}, key ${key}, Bearer ${token}` }, 'd');
    logger.info({ list: [{ email }, card, 4111111111111111], path: `/r/${password}` }, 'e');
    logger.child({ email, scope: { token } }).info({}, 'f');
    logger.info({ url: `postgres://app:${password}@db/x`, link: `https://x.example/r/${password}?a=1` }, 'g');
    expectClean(lines);
    expect(lines).to.have.length(7);
  });

  it('knows every spelling of a name, and keeps technical ones', () => {
    const { logger, lines } = collect();
    const { name, password } = canaries;
    for (const field of ['customer_name', 'customerName', 'recipient', 'recipients', 'username', 'user_name'])
      logger.info({ [field]: name }, 'a');
    for (const field of ['iban', 'phone_number', 'mobilePhone', 'mailTo', 'billing_address', 'X-Api-Key'])
      logger.info({ [field]: password }, 'a');
    expectClean(lines);
    expect(lines).to.have.length(12);
    logger.info({ table_name: 'payments', hostname: 'db-1', migrationName: '1_one', token_version: 2 }, 'b');
    expect(JSON.parse(lines.at(-1) ?? '')).to.include({
      table_name: 'payments',
      hostname: 'db-1',
      migrationName: '1_one',
      token_version: 2,
    });
  });

  it('knows secrets and accounts by their form in texts', () => {
    const { logger, lines } = collect();
    const { password } = canaries;
    for (const text of [
      `token=${password}`,
      `?access_token=${password}&page=2`,
      `password: ${password}`,
      `"client_secret":"${password}"`,
      `redis://:${password}@h`,
      `amqp://${password}@h/vhost`,
      `postgres://app:p@ss${password}@h/db`,
    ])
      logger.info({ note: text }, text);
    expectClean(lines);
    logger.info({ note: 'DE89 3704 0044 0532 0130 00, GB29NWBK60161331926819, +49 170 1234567' }, 'c');
    expect(lines.at(-1)).to.contain('"note":"[iban], [iban], [phone]"');
    const harmless =
      'handled 7c9e6679-7425-40de-944b-e07fc1f90ae7 at 2026-11-24T10:00:00.000+02:00 in 1e+21 ms';
    logger.info({ note: harmless }, 'd');
    expect(lines.at(-1)).to.contain(harmless);
  });

  it('takes them out of errors: messages, causes, fields and stacks', () => {
    const { logger, lines } = collect();
    const { password, email, name, card } = canaries;
    const cause = Object.assign(new Error(`invalid input syntax for type uuid: "O"${name}"`), {
      code: '22P02',
      detail: `Key (email)=(${email}) already exists.`,
      parameters: [password],
      table: 'users',
    });
    logger.error({ err: new Error(`no user '${name}' (${email}) with card ${card}`, { cause }) }, 'failed');
    logger.error({ err: new DomainError('email_taken', `taken: ${email}`) }, 'failed');
    logger.error(new Error(`lost ${email}`));
    logger.error({ err: new Error(`lost ${email}`) });
    logger.error({ reason: new Error(`at ${email}`), err: `text ${email}` }, 'failed');
    expectClean(lines);
    const { err } = JSON.parse(lines[0] ?? '') as { err: { stack: string; cause: { code: string } } };
    expect(err.stack).to.match(/^\s+at /);
    expect(err.cause).to.include({ code: '22P02', table: 'users' });
  });

  it('takes them out of messages', () => {
    const { logger, lines } = collect();
    logger.info(`hello ${canaries.email}`);
    logger.info({}, `hello ${canaries.email}`);
    expectClean(lines);
  });
});
