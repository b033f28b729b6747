/**
 * Every refusal the domain can give. No HTTP here: api/problem.ts maps each code to a status, and
 * docs/errors.md explains each (a test keeps the three equal).
 */
export const errorCodes = [
  'attempt_in_flight',
  'amount_mismatch',
  'amount_required',
  'email_taken',
  'forbidden',
  'idempotency_key_reused',
  'invalid_credentials',
  'invalid_token',
  'last_admin',
  'method_not_allowed',
  'not_acceptable',
  'not_found',
  'not_parsable',
  'payload_too_large',
  'position_not_reached',
  'recovery_closed',
  'internal',
  'signature_invalid',
  'slug_taken',
  'too_busy',
  'too_many_failures',
  'too_many_rules',
  'unavailable',
  'unsupported_media_type',
  'validation_failed',
  'version_conflict',
  'version_mismatch',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

/** One fault of one field: where (an RFC 6901 JSON pointer) and what is wrong. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

/** A refusal with a stable code. Guards test `code`, never `instanceof`. */
export class DomainError extends Error {
  constructor(
    readonly code: ErrorCode,
    detail: string,
    readonly errors: readonly FieldError[] = [],
    options?: ErrorOptions,
  ) {
    super(detail, options);
    this.name = 'DomainError';
  }
}

/** The product will not run like this: every reason at once, each with what to do, none with a secret in it. */
export class StartRefused extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The product does not start:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'StartRefused';
  }
}

export const isStartRefused = (error: unknown): error is StartRefused =>
  error instanceof Error && error.name === 'StartRefused';

export const isDomainError = (error: unknown): error is DomainError =>
  error instanceof Error && error.name === 'DomainError';
