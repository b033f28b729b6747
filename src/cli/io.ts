import { once } from 'node:events';

/** The reader of our output has gone, e.g. `| head`: nobody is left to tell, and nothing is wrong. */
export class OutputClosed extends Error {
  constructor() {
    super('the output was closed');
    this.name = 'OutputClosed';
  }
}

export interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): boolean;
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

/** Where a command speaks: answers on stdout, everything else on stderr. */
export interface Io {
  readonly json: boolean;
  /** Is a person watching stdout? */
  readonly interactive: boolean;
  /** Is a person watching stderr, where progress is shown? */
  readonly showsProgress: boolean;
  /** Answers; resolves when the reader has room for more. @throws OutputClosed */
  print(text: string): Promise<void>;
  /** Says something beside the answer. */
  note(text: string): void;
}

/** Waits until there is room again, or nobody who would make any. */
const room = async (stdout: NodeJS.EventEmitter): Promise<void> => {
  const done = new AbortController();
  const { signal } = done;
  try {
    await Promise.race([once(stdout, 'drain', { signal }), once(stdout, 'close', { signal })]);
  } finally {
    done.abort();
  }
};

export const createIo = (stdout: Stream & NodeJS.EventEmitter, stderr: Stream, json: boolean): Io => {
  let closed = false;
  stdout.on('error', () => (closed = true));
  stderr.on('error', () => undefined);
  return {
    json,
    interactive: !json && stdout.isTTY === true,
    showsProgress: !json && stderr.isTTY === true,
    print: async (text) => {
      if (closed) throw new OutputClosed();
      if (!stdout.write(`${text}\n`)) await room(stdout).catch(() => (closed = true));
      if (closed) throw new OutputClosed();
    },
    note: (text) => void stderr.write(`${text}\n`),
  };
};
