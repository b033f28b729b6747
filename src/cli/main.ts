import { readFileSync } from 'node:fs';
import { readConfig } from '../config.js';
import { createIo } from './io.js';
import { run } from './run.js';
import type { OpenServices } from './services.js';

/** A graceful stop that takes longer is cut off: orchestrators kill after 30 s, and then nothing is said. */
const STOP_DEADLINE_MS = 25_000;
const signalNumbers = { SIGINT: 2, SIGTERM: 15 } as const;

/** Loaded when a command needs it: --help and mistakes answer at once. */
const openServices: OpenServices = async (...args) => (await import('../main.js')).openServices(...args);

const versionOf = (): string => {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
};

const stop = new AbortController();
let stoppedBy: keyof typeof signalNumbers | undefined;
for (const signal of Object.keys(signalNumbers) as (keyof typeof signalNumbers)[]) {
  process.on(signal, () => {
    if (stoppedBy !== undefined) process.exit(128 + signalNumbers[signal]); // asked twice: at once
    stoppedBy = signal;
    stop.abort();
    setTimeout(() => process.exit(1), STOP_DEADLINE_MS).unref();
  });
}

const args = process.argv.slice(2);
const io = createIo(process.stdout, process.stderr, args.includes('--json'));
const code = await run(
  { io, readConfig: () => readConfig(), openServices, signal: stop.signal },
  versionOf(),
  args,
);
const interrupted = stoppedBy !== undefined && code !== 0;
// Whatever a library left open must not keep a finished command alive.
process.stdout.write('', () =>
  process.exit(interrupted ? 128 + signalNumbers[stoppedBy ?? 'SIGTERM'] : code),
);
