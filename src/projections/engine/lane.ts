import type pg from 'pg';

const ignore = (): void => undefined;

/** A connection on which one piece of work follows another, while their givers go on. */
export class Lane {
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly client: pg.ClientBase) {}

  /** Settles when everything given so far is done, however that ended. */
  async idle(): Promise<void> {
    await this.#last;
  }

  /** Runs when everything given before is done, however that ended. */
  run<T>(work: (client: pg.ClientBase) => Promise<T>): Promise<T> {
    const done = this.#last.then(() => work(this.client));
    this.#last = done.catch(ignore);
    return done;
  }
}
