import type { FactOf } from '../../events/envelope.js';
import type { RecoveryEvent } from '../../events/recovery.js';
import type { Draft } from '../engine/projection.js';
import { occurredAt } from '../fold.js';
import type { RecoveryRow } from './row.js';

/** The row changed by an event, and how far it is folded. */
export const moved = (
  row: Draft<RecoveryRow>,
  event: FactOf<RecoveryEvent>,
  change: Partial<RecoveryRow>,
): RecoveryRow => {
  Object.assign(row, change);
  row.last_event_at = occurredAt(event);
  row.revision = Number(event.revision);
  row.position = Number(event.position);
  return row;
};
