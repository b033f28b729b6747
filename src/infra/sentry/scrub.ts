import type { ErrorEvent, Event, NodeOptions, StackFrame } from '@sentry/node';
import { redactMessage, redactText } from '../logging/redact.js';

type TransactionEvent = Parameters<NonNullable<NodeOptions['beforeSendTransaction']>>[0];

/** Where in the code, without the values that were there. */
const frameOf = ({ filename, function: name, lineno, colno, in_app, module }: StackFrame): StackFrame => ({
  ...(filename !== undefined && { filename }),
  ...(name !== undefined && { function: name }),
  ...(module !== undefined && { module }),
  ...(lineno !== undefined && { lineno }),
  ...(colno !== undefined && { colno }),
  ...(in_app !== undefined && { in_app }),
});

type Exception = NonNullable<NonNullable<Event['exception']>['values']>[number];

const exceptionOf = ({ type, value, mechanism, stacktrace }: Exception): Exception => ({
  ...(type !== undefined && { type }),
  ...(value !== undefined && { value: redactMessage(value) }),
  ...(mechanism && { mechanism: { type: mechanism.type, handled: mechanism.handled ?? true } }),
  ...(stacktrace?.frames && { stacktrace: { frames: stacktrace.frames.map(frameOf) } }),
});

const KEPT = [
  'event_id',
  'timestamp',
  'start_timestamp',
  'platform',
  'level',
  'environment',
  'release',
  'sdk',
] as const;
const TAGS = ['request_id', 'method', 'path', 'component'];
const TRACE = ['trace_id', 'span_id', 'parent_span_id', 'op', 'status', 'origin'];
const SPAN_DATA =
  /^(sentry\.(op|origin|source|sample_rate)|http\.(request\.method|route|response\.status_code)|request_id)$/;

const pick = (object: object | undefined, wanted: (key: string) => boolean): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(object ?? {})
      .filter(([key]) => wanted(key))
      .map(([key, value]: [string, unknown]) => [key, typeof value === 'string' ? redactText(value) : value]),
  );

const traceOf = (event: Event): Record<string, unknown> => {
  const trace = event.contexts?.trace;
  return {
    ...pick(trace, (key) => TRACE.includes(key)),
    data: pick(trace?.data, (key) => SPAN_DATA.test(key)),
  };
};

/** Only what is known to be harmless is kept; requests, bodies, headers, users, breadcrumbs and variables are not. */
const kept = (event: Event): Event =>
  ({
    ...pick(event, (key) => (KEPT as readonly string[]).includes(key)),
    tags: pick(event.tags, (key) => TAGS.includes(key)),
    contexts: {
      trace: traceOf(event),
      runtime: pick(event.contexts?.runtime, (key) => key === 'name' || key === 'version'),
    },
  }) as unknown as Event;

export const scrubError = (event: ErrorEvent): ErrorEvent =>
  ({
    ...kept(event),
    ...(event.exception?.values && { exception: { values: event.exception.values.map(exceptionOf) } }),
    ...(event.message !== undefined && { message: redactMessage(event.message) }),
  }) as ErrorEvent;

export const scrubTransaction = (event: TransactionEvent): TransactionEvent =>
  ({
    ...kept(event),
    type: 'transaction',
    transaction: redactText(event.transaction ?? ''),
    transaction_info: { source: 'route' },
    // Spans of libraries describe statements and addresses; the request as a whole is enough.
    spans: [],
  }) as TransactionEvent;
