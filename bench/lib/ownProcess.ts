import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Runs a file as a process of its own, with our flags. @returns what it tells in its one message */
export const toldBy = <T>(file: URL, args: readonly string[]): Promise<T> =>
  new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(file), [...args]);
    let told: { readonly message: T } | undefined;
    child.once('message', (message) => (told = { message: message as T }));
    child.once('error', reject);
    child.once('exit', (code) =>
      told === undefined ? reject(new Error(`${file.pathname} ended with ${code}`)) : resolve(told.message),
    );
  });
