/** An authority, made by openssl for one test, and what it signs. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Files in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export class Authority {
  private constructor(
    private readonly dir: string,
    /** Its own certificate, which clients and servers trust. */
    readonly cert: string,
  ) {}

  static async create(dir: string): Promise<Authority> {
    const authority = new Authority(dir, join(dir, 'ca.pem'));
    const subject = ['-x509', '-days', '2', '-subj', '/CN=test authority', '-out', authority.cert];
    await authority.#openssl('req', ...newKey(join(dir, 'ca.key')), ...subject);
    return authority;
  }

  /** Of a server or client on this machine. */
  async sign(name: string): Promise<Certificate> {
    const [cert, key, request, names] = ['pem', 'key', 'csr', 'ext'].map((end) =>
      join(this.dir, `${name}.${end}`),
    );
    if (cert === undefined || key === undefined || request === undefined || names === undefined)
      throw new Error('four names make four files');
    await writeFile(names, 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
    await this.#openssl('req', ...newKey(key), '-subj', `/CN=${name}`, '-out', request);
    const by = ['-CA', this.cert, '-CAkey', join(this.dir, 'ca.key'), '-CAcreateserial'];
    await this.#openssl('x509', '-req', '-days', '2', '-in', request, ...by, '-extfile', names, '-out', cert);
    return { cert, key };
  }

  async #openssl(...args: string[]): Promise<void> {
    await promisify(execFile)('openssl', args);
  }
}

const newKey = (file: string): string[] => ['-newkey', 'rsa:2048', '-nodes', '-keyout', file];

/** The one file of a server's key and certificate that Kafka takes as its key store. */
export const keyStore = async ({ cert, key }: Certificate): Promise<string> => {
  const file = `${key}store`;
  await writeFile(file, (await readFile(key, 'utf8')) + (await readFile(cert, 'utf8')));
  return file;
};
