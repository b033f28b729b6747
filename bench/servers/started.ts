import { closeSync, openSync } from 'node:fs';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A server in a process of its own. It ends with this one, however this one ends. */
export interface Server {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * @param name of the file beside this one
 * @param log where its standard output goes
 */
export const startServer = async (
  name: 'product' | 'baseline',
  env: Readonly<Record<string, string>>,
  log: string,
): Promise<Server> => {
  const output = openSync(log, 'a');
  const child = fork(fileURLToPath(new URL(`./${name}.js`, import.meta.url)), {
    env: { ...process.env, NODE_ENV: 'production', ...env },
    stdio: ['ignore', output, 'inherit', 'ipc'],
  });
  closeSync(output);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message) => resolve((message as { port: number }).port));
    child.once('error', reject);
    void exited.then(() => reject(new Error(`the server ${name} ended before it listened`)));
  });
  const stop = async (): Promise<void> => {
    if (child.connected) child.disconnect();
    const deadline = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await exited;
    clearTimeout(deadline);
  };
  return { port, stop };
};
