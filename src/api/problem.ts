import { type DomainError, type ErrorCode, type FieldError } from '../kernel/errors.js';

interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** Seconds after which asking again makes sense. */
  readonly retryAfter?: number;
}

/** The only place where a refusal of the domain meets an HTTP status. docs/errors.md explains each (a test compares). */
export const problems = {
  amount_mismatch: { status: 409, title: 'Another amount or currency' },
  amount_required: { status: 422, title: 'Amount required' },
  attempt_in_flight: { status: 409, title: 'A charge is in flight', retryAfter: 30 },
  email_taken: { status: 409, title: 'E-mail address taken' },
  forbidden: { status: 403, title: 'Not allowed' },
  idempotency_key_reused: { status: 422, title: 'Idempotency key reused' },
  internal: { status: 500, title: 'Internal error' },
  invalid_credentials: { status: 401, title: 'Wrong e-mail address or password' },
  invalid_token: { status: 401, title: 'No valid token' },
  last_admin: { status: 409, title: 'Last active admin' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  not_acceptable: { status: 406, title: 'Not acceptable' },
  not_found: { status: 404, title: 'Not found' },
  not_parsable: { status: 400, title: 'Not parsable' },
  payload_too_large: { status: 413, title: 'Body too large' },
  position_not_reached: { status: 503, title: 'Position not reached', retryAfter: 1 },
  recovery_closed: { status: 409, title: 'Recovery closed' },
  signature_invalid: { status: 400, title: 'Signature invalid' },
  slug_taken: { status: 409, title: 'Organization slug taken' },
  too_busy: { status: 503, title: 'Too busy', retryAfter: 1 },
  too_many_failures: { status: 409, title: 'Too many failures' },
  too_many_rules: { status: 409, title: 'Too many rules' },
  unavailable: { status: 503, title: 'Unavailable', retryAfter: 5 },
  unsupported_media_type: { status: 415, title: 'Media type not supported' },
  validation_failed: { status: 422, title: 'Validation failed' },
  version_conflict: { status: 409, title: 'Changed by others' },
  version_mismatch: { status: 412, title: 'Changed since' },
} as const satisfies Record<ErrorCode, ProblemKind>;

export const PROBLEM_JSON = 'application/problem+json; charset=utf-8';

/** An RFC 9457 problem. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly request_id: string;
  readonly errors?: readonly FieldError[];
}

/** What the client is told when the fault is ours: nothing about the inside. */
const INTERNAL_DETAIL = 'Something failed on our side. Give the request_id when you report it.';

const problemType = (code: ErrorCode): string => `/docs/errors#${code}`;

export const kindOf = (code: ErrorCode): ProblemKind => problems[code];

/** The answer to a refusal. */
export const toProblem = (
  error: Pick<DomainError, 'code' | 'message' | 'errors'>,
  requestId: string,
): Problem => {
  const { status, title } = kindOf(error.code);
  return {
    type: problemType(error.code),
    title,
    status,
    detail: status === 500 ? INTERNAL_DETAIL : error.message,
    code: error.code,
    request_id: requestId,
    ...(error.errors.length > 0 && { errors: error.errors }),
  };
};
