import { SOURCE_HEADER, sourceOf } from '../../events/integration/cloudEvents.js';
import type { Logger } from '../../kernel/logger.js';
import { type KafkaMessage, textOf } from './wire.js';

/*
 * Two installations may be given one topic by mistake. Neither acts on the other's messages, for each knows its own by
 * their source, and neither loses its own, for each has consumer groups of its own. (docs/adr/0035)
 */

/** What a consumer group is called on the brokers: those of one installation share the partitions, not those of two. */
export const groupOf = (group: string, installation: string): string => `${group}.${installation}`;

export interface ForeignMessagesOptions {
  readonly installation: string;
  readonly topic: string;
  readonly logger: Logger;
}

const TELL_EVERY_MS = 60_000;

/** The messages on a topic that another installation, or another product, has published: they are passed over. */
export class ForeignMessages {
  readonly #own: string;
  #passed = 0;
  #told = -Infinity;

  constructor(private readonly options: ForeignMessagesOptions) {
    this.#own = sourceOf(options.installation);
  }

  /** True for one of them. A message that names no source cannot be told, and is not read either. */
  include({ headers }: Pick<KafkaMessage, 'headers'>): boolean {
    const source = textOf(headers?.[SOURCE_HEADER]);
    if (source === '' || source === this.#own) return false;
    this.#passed += 1;
    this.#tell(source);
    return true;
  }

  #tell(source: string): void {
    const now = performance.now();
    if (now - this.#told < TELL_EVERY_MS) return;
    this.#told = now;
    const { logger, topic } = this.options;
    logger.warn(
      { topic, source, passed: this.#passed },
      'passing over messages of another installation: give each a KAFKA_TOPIC of its own',
    );
  }
}
