import { maskCardNumbers } from '../../kernel/cardNumbers.js';
import { isUuid } from '../../kernel/ids.js';

/**
 * Families of names whose values are secrets or personal data, wherever they turn up: compared without case and
 * separators, so that `customer_name`, `customerName` and `CUSTOMER-NAME` are one.
 */
const SENSITIVE =
  /password|passwd|secret|pepper|token|authorization|cookie|credential|apikey|masterkey|privatekey|signature|dsn$|name$|mail|phone|mobile|iban|recipient|address|customer|birth|^card(number)?$|accountnumber|^(to|from|number|pan|cvc|cvv|last4|body|query|parameters|where|detail)$/;
/** Names that only look like one of the above. */
const HARMLESS =
  /^(tokenversion|idempotencykey|stream|position|(table|column|constraint|index|schema|database|host|file|event|type|class|function|model|projection|migration|application)name)$/;
/** Harmless when they hold a number: a position, a count. */
const AMBIGUOUS = /^(to|from|number|name)$/;
/** Fields whose `name` is a technical word, not a person's. */
const TECHNICAL_NAME = /^(Error|[A-Z][A-Za-z]*(Error|Exception|Conflict|Gone))$/;

const MAX_DEPTH = 6;
const MAX_TEXT = 4000;
const REDACTED = '[redacted]';

const SECRET_WORD =
  '[\\w-]*(?:password|passwd|pwd|secret|token|api[_-]?key|pepper|credential|signature|cookie)[\\w-]*';

/** What must be there for a pattern to match, told by a search that costs next to nothing; the pattern; its replacement. */
const PATTERNS: readonly (readonly [RegExp, RegExp, string])[] = [
  [/@/, /:\/\/[^/\s]*@/g, '://[credentials]@'],
  [/@/, /[^\s<>"'(),;:=/]+@[^\s<>"'(),;:/]+\.[^\s<>"'(),;:/]+/g, '[e-mail]'],
  [/earer /i, /\bBearer\s+\S+/gi, 'Bearer [token]'],
  [/eyJ/, /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '[token]'],
  [/[kc]_/, /\b(sk|rk|pk|whsec)_[A-Za-z0-9_]{6,}/g, '[key]'],
  [/\/r\/|checkout\//, /(\/r\/|\/sandbox\/checkout\/)[^/?\s"']+/g, '$1[token]'],
  [/[=:]/, new RegExp(`\\b(${SECRET_WORD})(["']?\\s*[=:]\\s*["']?)[^\\s"'&,;)}\\]]+`, 'gi'), '$1$2[secret]'],
  [/[A-Z]{2}\d{2}/, /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b/g, '[iban]'],
  [/\+\d/, /\+\d[\d ()-]{7,}\d/g, '[phone]'],
];

/** Text without what can be told from its form: addresses, tokens, keys, accounts, phone and card numbers. */
export const redactText = (text: string): string => {
  if (isUuid(text)) return text;
  let clean = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  for (const [hint, pattern, replacement] of PATTERNS)
    if (hint.test(clean)) clean = clean.replace(pattern, replacement);
  return maskCardNumbers(clean);
};

/**
 * An error's message may quote the input it stumbled on (Postgres, JSON.parse), which may hold quotes itself: what
 * stands between the first and the last quote is dropped.
 */
export const redactMessage = (message: string): string =>
  redactText(message.replace(/"[^]*"/, '"…"').replace(/'(?:[^'\\]|\\.)*'/g, "'…'"));

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

/** The fields of our own lines are few and come again and again; of what others make up, no more are kept. */
const MAX_KNOWN = 1_000;
const known = new Map<string, { readonly word: string; readonly sensitive: boolean }>();

const familyOf = (key: string): { readonly word: string; readonly sensitive: boolean } => {
  const before = known.get(key);
  if (before !== undefined) return before;
  const word = key.replace(/[\s_-]/g, '').toLowerCase();
  const family = { word, sensitive: SENSITIVE.test(word) && !HARMLESS.test(word) };
  if (known.size < MAX_KNOWN) known.set(key, family);
  return family;
};

const redactField = (key: string, value: unknown, depth: number): unknown => {
  if (value === null || typeof value === 'boolean' || typeof value === 'undefined') return value;
  const { word, sensitive } = familyOf(key);
  if (sensitive) {
    if (AMBIGUOUS.test(word) && typeof value !== 'string' && typeof value !== 'object') return redact(value);
    return word === 'name' && typeof value === 'string' && TECHNICAL_NAME.test(value) ? value : REDACTED;
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
