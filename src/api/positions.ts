import { DomainError } from '../kernel/errors.js';
import type { Position } from '../events/envelope.js';
import { invalid } from './validation.js';

export const POSITION_WAIT_MS = 5000;
const MAX_POSITION = 2n ** 63n - 1n;

/** Resolves true once the projection has passed the position, false when the time is over. */
export type WaitFor = (projection: string, position: Position, timeoutMs: number) => Promise<boolean>;

export const parsePosition = (text: string, pointer: string): Position => {
  if (!/^[0-9]{1,19}$/.test(text) || BigInt(text) > MAX_POSITION)
    throw invalid(pointer, 'must be a position as X-Event-Position gave it');
  return BigInt(text);
};

/** Lets a client read its own write: waits until the read model has seen the position the client knows. */
export const awaitPosition = async (
  { waitFor }: { readonly waitFor: WaitFor },
  projection: string,
  header: string | string[] | undefined,
): Promise<void> => {
  if (header === undefined) return;
  const position = parsePosition(String(header), '/header/x-min-position');
  if (!(await waitFor(projection, position, POSITION_WAIT_MS)))
    throw new DomainError('position_not_reached', `${projection} has not reached the position yet`);
};
