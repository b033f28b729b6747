import { maskCardNumbers } from '../../kernel/cardNumbers.js';

/** Names of fields whose values are secrets or personal data, wherever they turn up. */
const SENSITIVE =
  /^(.*(password|secret|pepper|token|authorization|cookie|credential|api_?key|master_?key|signature|dsn).*|e_?mail|email_address|to|from|full_?name|name|first_?name|last_?name|customer|phone|address|card|card_?number|number|pan|cvc|cvv|last4|body|query|parameters|where|detail)$/i;
/** Names that only look like one of the above. */
const HARMLESS = /^(token_version|idempotency_key|stream|position)$/i;
/** Harmless when they hold a number: a position, a count. */
const AMBIGUOUS = /^(to|from|number|name)$/i;
/** Fields whose `name` is a technical word, not a person's. */
const TECHNICAL_NAME = /^(Error|[A-Z][A-Za-z]*(Error|Exception|Conflict|Gone))$/;

const MAX_DEPTH = 6;
const MAX_TEXT = 4000;
const REDACTED = '[redacted]';

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/[^\s<>"'(),;:=/]+@[^\s<>"'(),;:/]+\.[^\s<>"'(),;:/]+/g, '[e-mail]'],
  [/\bBearer\s+\S+/gi, 'Bearer [token]'],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '[token]'],
  [/\b(sk|rk|pk|whsec)_[A-Za-z0-9_]{6,}/g, '[key]'],
  [/(\/r\/|\/sandbox\/checkout\/)[^/?\s"']+/g, '$1[token]'],
  [/:\/\/[^/\s:@]+:[^/\s@]+@/g, '://[credentials]@'],
];

/** Text without what can be told from its form: addresses, tokens, keys, card numbers. */
export const redactText = (text: string): string => {
  let clean = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  if (/[@.:/_]|bearer/i.test(clean))
    for (const [pattern, replacement] of PATTERNS) clean = clean.replace(pattern, replacement);
  return maskCardNumbers(clean);
};

/**
 * An error's message may quote the input it stumbled on (Postgres, JSON.parse): what stands in quotes is dropped.
 */
export const redactMessage = (message: string): string =>
  redactText(message.replace(/"(?:[^"\\]|\\.)*"/g, '"…"').replace(/'(?:[^'\\]|\\.)*'/g, "'…'"));

interface SafeError {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly table?: string;
  readonly constraint?: string;
  readonly stack?: string;
  readonly cause?: SafeError;
}

const word = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[\w.-]{1,100}$/.test(value) ? value : undefined;

/** Of a stack only the frames: its first line repeats the message. */
const framesOf = (stack: string): string =>
  stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 30)
    .join('\n');

/** What of an error may be kept: never its detail, parameters or other fields, which quote data. */
export const safeError = (error: unknown, depth = 0): SafeError => {
  if (!(error instanceof Error)) return { type: typeof error, message: redactMessage(String(error)) };
  const { code, table, constraint } = error as { code?: unknown; table?: unknown; constraint?: unknown };
  const known = { code: word(code), table: word(table), constraint: word(constraint) };
  return {
    type: word(error.name) ?? 'Error',
    message: redactMessage(error.message),
    ...(Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)) as object),
    ...(error.stack !== undefined && { stack: framesOf(error.stack) }),
    ...(error.cause !== undefined && depth < 3 && { cause: safeError(error.cause, depth + 1) }),
  };
};

/** Sockets, requests and other machinery are not for the log. */
const isPlain = (object: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype === null || prototype === Object.prototype;
};

const redactObject = (object: object, depth: number): Record<string, unknown> => {
  const clean: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(object)) clean[key] = redactField(key, value, depth);
  return clean;
};

const redactField = (key: string, value: unknown, depth: number): unknown => {
  if (value === null || typeof value === 'boolean' || typeof value === 'undefined') return value;
  if (SENSITIVE.test(key) && !HARMLESS.test(key)) {
    if (AMBIGUOUS.test(key) && typeof value !== 'string' && typeof value !== 'object') return redact(value);
    return key === 'name' && typeof value === 'string' && TECHNICAL_NAME.test(value) ? value : REDACTED;
  }
  return redact(value, depth);
};

/** A copy without secrets and personal data: by the names of fields and by the form of texts. */
export const redact = (value: unknown, depth = 0): unknown => {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'number') return maskNumber(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return safeError(value);
  if (value instanceof Date) return value;
  if (depth >= MAX_DEPTH) return '[deep]';
  if (Array.isArray(value)) return value.slice(0, 100).map((item) => redact(item, depth + 1));
  if (!isPlain(value)) return `[${value.constructor.name}]`;
  return redactObject(value, depth + 1);
};

const maskNumber = (value: number): unknown => {
  if (Math.abs(value) < 1e12) return value;
  const text = String(value);
  const masked = maskCardNumbers(text);
  return masked === text ? value : masked;
};
