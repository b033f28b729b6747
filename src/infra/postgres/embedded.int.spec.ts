import { expect } from 'chai';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { silentLogger } from '../../kernel/logger.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded.js';
import { readPostmaster, servesDir, waitUntil } from './embeddedProcess.js';

const childScript = fileURLToPath(new URL('../../../test/support/embeddedChild.ts', import.meta.url));

const query = async (url: string, sql: string): Promise<Record<string, unknown>[]> => {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  return client
    .query<Record<string, unknown>>(sql)
    .then(({ rows }) => rows)
    .finally(() => client.end());
};

const messageOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: unknown) => (error as Error).message,
  );

describe('startEmbeddedPostgres', function () {
  this.timeout(60_000);
  let root: string;
  let dataDir: string;
  let children: ChildProcess[];
  const port = () => 20_000 + Math.floor(Math.random() * 12_000);
  const start = (options: { port?: number; dataDir?: string; durable?: boolean } = {}) =>
    startEmbeddedPostgres({ dataDir, port: port(), durable: false, logger: silentLogger, ...options });
  const pidOf = async (): Promise<number> => (await readPostmaster(await realpath(dataDir)))?.pid ?? 0;

  const serves = async (pid: number): Promise<boolean> =>
    pid > 0 && servesDir(pid, await realpath(dataDir).catch(() => ''));

  /** Starts a process of its own that uses the same directory. @returns it and the URL it was given */
  const startChild = async (env?: NodeJS.ProcessEnv): Promise<{ child: ChildProcess; url: string }> => {
    const child = spawn(process.execPath, ['--import', 'tsx', childScript, dataDir, String(port())], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
      ...(env === undefined ? {} : { env }),
    });
    children.push(child);
    let url = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (url += text));
    await waitUntil(() => Promise.resolve(url.endsWith('\n') || child.exitCode !== null), 30_000);
    return { child, url: url.trim() };
  };

  const endServer = async (): Promise<void> => {
    const pid = await pidOf().catch(() => 0);
    if (!(await serves(pid))) return;
    process.kill(pid, 'SIGQUIT');
    await waitUntil(async () => !(await serves(pid)), 5000);
  };

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'recovery-embedded-'));
    await chmod(root, 0o755);
    dataDir = join(root, 'data', 'postgres');
    children = [];
  });
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    await endServer();
    const real = await realpath(dataDir).catch(() => undefined);
    if (real !== undefined) await rm(real, { recursive: true });
    await rm(root, { recursive: true });
  });

  describe('from nothing', () => {
    it('serves UTF-8 on this machine only, behind a password', async () => {
      const server = await start();
      const [row] = await query(
        server.url,
        `SELECT current_setting('server_encoding') AS encoding, current_setting('listen_addresses') AS listens,
                current_setting('unix_socket_directories') AS sockets, lower('ÄÖ') AS lower`,
      );
      expect(row).to.deep.equal({ encoding: 'UTF8', listens: '127.0.0.1', sockets: '', lower: 'äö' });
      const url = new URL(server.url);
      url.password = 'guess';
      expect(await messageOf(query(url.href, 'SELECT 1'))).to.contain('password authentication failed');
      await server.stop();
      expect(await pidOf()).to.equal(0);
    });

    it('is durable when asked to be', async () => {
      const server = await start({ durable: true });
      const [row] = await query(
        server.url,
        `SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS pages,
                current_setting('synchronous_commit') AS sync, current_setting('data_checksums') AS sums`,
      );
      expect(row).to.deep.equal({ fsync: 'on', pages: 'on', sync: 'on', sums: 'on' });
      await server.stop();
    });

    it('needs nothing from the environment', async () => {
      const { url } = await startChild({});
      expect(await query(url, `SELECT current_setting('server_encoding') AS encoding`)).to.deep.equal([
        { encoding: 'UTF8' },
      ]);
    });

    it('starts below a directory that only we may enter', async () => {
      await chmod(root, 0o700);
      const server = await start();
      await query(server.url, 'CREATE TABLE kept AS SELECT 1 AS one');
      await server.stop();
      const again = await start();
      expect(await query(again.url, 'SELECT one FROM kept')).to.deep.equal([{ one: 1 }]);
      expect(again.dataDir).to.equal(await realpath(dataDir));
      await again.stop();
    });

    it('takes the next port when one is taken', async () => {
      const taken = createServer().listen(0, '127.0.0.1');
      await once(taken, 'listening');
      const { port: wanted } = taken.address() as { port: number };
      const server = await start({ port: wanted });
      expect(Number(new URL(server.url).port)).to.be.greaterThan(wanted);
      await server.stop();
      taken.close();
    });

    it('is not misled by the draft of an initdb that was killed, and removes it in time', async () => {
      const draft = join(root, 'data', '.postgres.init-killed');
      await mkdir(join(draft, 'cluster'), { recursive: true });
      await writeFile(join(draft, 'cluster', 'PG_VERSION'), '18\n');
      await utimes(draft, 0, 0);
      const server = await start();
      await server.stop();
      expect(await readdir(join(root, 'data'))).to.deep.equal(['postgres']);
    });

    it('refuses to overwrite files that are no Postgres data', async () => {
      await mkdir(dataDir, { recursive: true });
      await writeFile(join(dataDir, 'diary.txt'), 'dear diary');
      expect(await messageOf(start())).to.contain('holds files that are no Postgres data');
      expect(await readFile(join(dataDir, 'diary.txt'), 'utf8')).to.equal('dear diary');
    });

    it('says what to do where no Postgres is brought along', async () => {
      const own = Object.getOwnPropertyDescriptor(process, 'arch');
      Object.defineProperty(process, 'arch', { ...own, value: 'abacus' });
      try {
        expect(await messageOf(start()))
          .to.contain('abacus')
          .and.to.contain('set DATABASE_URL');
      } finally {
        Object.defineProperty(process, 'arch', own ?? {});
      }
    });
  });

  describe('on a directory that was used before', () => {
    let first: EmbeddedPostgres;
    beforeEach(async () => {
      first = await start();
      await query(first.url, 'CREATE TABLE kept AS SELECT 1 AS one');
    });
    const expectData = async (url: string) =>
      expect(await query(url, 'SELECT one FROM kept')).to.deep.equal([{ one: 1 }]);

    it('keeps the data over a restart', async () => {
      await first.stop();
      const again = await start();
      await expectData(again.url);
      await again.stop();
    });

    it('recovers after the server was killed', async () => {
      await query(first.url, 'CHECKPOINT'); // a server that is not durable may lose what came last
      process.kill(await pidOf(), 'SIGKILL');
      const again = await start();
      await expectData(again.url);
      await again.stop();
    });

    it('refuses the data of another version', async () => {
      await first.stop();
      await writeFile(join(dataDir, 'PG_VERSION'), '16\n');
      expect(await messageOf(start())).to.contain('made by Postgres 16');
    });

    const stalePid = async (pid: number): Promise<void> => {
      await first.stop();
      const lines = [pid, first.dataDir, 1, new URL(first.url).port, '', '127.0.0.1', '', 'ready', ''];
      await writeFile(join(dataDir, 'postmaster.pid'), lines.join('\n'), { mode: 0o600 });
      const again = await start();
      await expectData(again.url);
      await again.stop();
    };

    it('starts past the pid file of a process that is gone', async () => {
      const gone = spawn('true');
      await once(gone, 'exit');
      await stalePid(gone.pid ?? 0);
    });

    it('starts past the pid file of a process that is something else', () => stalePid(process.ppid));

    it('starts past the pid file of a zombie', async function () {
      if (process.platform !== 'linux') return this.skip();
      const parent = spawn('sh', ['-c', 'true & echo $!; exec sleep 30']); // sleep does not reap
      children.push(parent);
      const [output] = (await once(parent.stdout, 'data')) as [Buffer];
      await stalePid(Number(output.toString()));
    });
  });

  describe('beside other processes', () => {
    it('survives the signals sent to us, and is taken over after a kill', async () => {
      const { child, url } = await startChild();
      const pid = await pidOf();
      process.kill(-(child.pid ?? 0), 'SIGINT'); // the whole group, as Ctrl-C does
      process.kill(-(child.pid ?? 0), 'SIGTERM');
      await query(url, 'CREATE TABLE kept AS SELECT 1 AS one');
      process.kill(-(child.pid ?? 0), 'SIGKILL');
      await once(child, 'exit');
      const adopted = await start();
      expect(await pidOf()).to.equal(pid);
      expect(await query(adopted.url, 'SELECT one FROM kept')).to.deep.equal([{ one: 1 }]);
      await adopted.stop();
      expect(await serves(pid)).to.equal(false);
    });

    it('is started once when several start at the same time', async () => {
      const results = await Promise.all([start(), start(), startChild(), startChild()]);
      expect(new Set(results.map(({ url }) => url)).size).to.equal(1);
    });

    it('stops whole when nothing else keeps the process alive', async () => {
      const args = ['--import', 'tsx', childScript, dataDir, String(port()), 'once'];
      const child = spawn(process.execPath, args, { stdio: 'ignore' });
      children.push(child);
      expect(await once(child, 'exit')).to.deep.equal([0, null]);
      expect(await pidOf()).to.equal(0);
    });

    it('stops with the last that uses it', async () => {
      const { child, url } = await startChild();
      const beside = await start();
      await beside.stop();
      expect(await query(url, 'SELECT 1 AS one')).to.deep.equal([{ one: 1 }]);
      child.kill('SIGKILL');
      await once(child, 'exit');
      const last = await start();
      await last.stop();
      expect(await pidOf()).to.equal(0);
    });
  });
});
