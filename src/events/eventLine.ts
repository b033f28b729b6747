import type { RecordedEvent } from './envelope.js';

/** A recorded event whose data and metadata are JSON text. */
interface LineParts extends Pick<RecordedEvent, 'stream' | 'id' | 'type' | 'recorded_at'> {
  readonly position: bigint | string;
  readonly revision: bigint | string;
  readonly data: string;
  readonly metadata: string;
}

/** The audit form of an event, one line of JSON: the one place that knows it. */
export const lineFrom = ({
  position,
  stream,
  revision,
  id,
  type,
  recorded_at,
  data,
  metadata,
}: LineParts): string =>
  `{"position":"${position}","stream":${JSON.stringify(stream)},"revision":${revision},"id":"${id}"` +
  `,"type":${JSON.stringify(type)},"recorded_at":"${recorded_at}","data":${data},"metadata":${metadata}}`;

export const lineOf = (event: RecordedEvent): string =>
  lineFrom({ ...event, data: JSON.stringify(event.data), metadata: JSON.stringify(event.metadata) });
