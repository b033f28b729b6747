import { isUuid } from '../../kernel/ids.js';
import type { EachBatchPayload, IHeaders } from 'kafkajs';
import { fromWire, type WireMessage } from '../../events/integration/cloudEvents.js';
import type { PublicMessage } from '../../events/integration/message.js';
import type { Incoming } from '../bus/intake.js';
import { unreadableForm } from '../bus/parkedForm.js';

export type KafkaMessage = EachBatchPayload['batch']['messages'][number];

/** The last of a repeated header counts. */
export const textOf = (value: IHeaders[string]): string => {
  const last = Array.isArray(value) ? value.at(-1) : value;
  return last?.toString() ?? '';
};

const wireOf = ({ key, headers, value }: KafkaMessage): WireMessage => ({
  key: key?.toString() ?? '',
  headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, text]) => [name, textOf(text)])),
  value: value?.toString() ?? '',
});

interface Place {
  readonly topic: string;
  readonly partition: number;
}

/** A message of Kafka for the intake; one that cannot be read is named by its place, and stands alone without a key. */
export const incomingOf = (
  { topic, partition }: Place,
  message: KafkaMessage,
  isWanted: (message: PublicMessage) => boolean,
): Incoming | undefined => {
  const wire = wireOf(message);
  const place = `${topic}/${partition}/${message.offset}`;
  try {
    const read = fromWire(wire);
    if (read === undefined || !isWanted(read)) return undefined;
    return { key: read.key, id: read.id, stored: { message: read }, open: () => read };
  } catch (error) {
    const open = (): never => {
      throw error;
    };
    // A key of ours is a payment's id; any other may be what no table can hold.
    return { key: isUuid(wire.key) ? wire.key : place, id: place, stored: unreadableForm(wire), open };
  }
};
