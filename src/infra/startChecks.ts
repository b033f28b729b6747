import type { Check } from './postgres/databaseChecks.js';
import { secretProblems, type SecretSettings } from './secrets/resolveSecrets.js';

export interface StartSettings extends SecretSettings {
  readonly smtpHost: string | undefined;
  readonly publicBaseUrl: string | undefined;
}

const secretChecks = (settings: StartSettings): Check[] => {
  const problems = secretProblems(settings);
  const base = { name: 'secrets', severity: 'error' } as const;
  if (problems.length === 0) return [{ ...base, ok: true, detail: 'fit for use', fix: '' }];
  const fix = 'Set it in the environment; .env.example explains each.';
  return problems.map((detail) => ({ ...base, ok: false, detail, fix }));
};

/** What is optional on a developer's machine misleads customers elsewhere. */
const mustHave = (
  { environment }: StartSettings,
  given: string | undefined,
  check: Pick<Check, 'name' | 'detail' | 'fix'>,
): Check =>
  given !== undefined || environment === 'development'
    ? { name: check.name, ok: true, severity: 'error', detail: given ?? 'not needed in development', fix: '' }
    : { ...check, ok: false, severity: environment === 'production' ? 'error' : 'warning' };

/** What the configuration lacks for the environment it names; nothing is opened, made or written. */
export const startChecks = (settings: StartSettings): Check[] => [
  ...secretChecks(settings),
  mustHave(settings, settings.smtpHost, {
    name: 'mail',
    detail: 'no SMTP_HOST: mails would be kept as files and recorded as sent, and no customer would get one',
    fix: 'Set SMTP_HOST and, as the server asks, SMTP_USER and SMTP_PASSWORD.',
  }),
  mustHave(settings, settings.publicBaseUrl, {
    name: 'links',
    detail: 'no PUBLIC_BASE_URL: the links in mails would lead to localhost',
    fix: 'Set PUBLIC_BASE_URL to the https address under which customers reach this.',
  }),
];
