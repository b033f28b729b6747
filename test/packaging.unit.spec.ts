import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { run } from '../src/cli/run.js';
import { type ServeRole, serveRoles } from '../src/cli/services.js';
import { preflight } from '../src/composition/preflight.js';
import { readConfig, settings } from '../src/config.js';
import { silentLogger } from '../src/kernel/logger.js';
import {
  composeFile,
  imageVariables,
  instruction,
  rootFile,
  type Service,
  stage,
  workflow,
} from './support/packaging.js';

const compose = composeFile('docker-compose.yml');
const development = composeFile('compose.dev.yml');
const ofOurImage = (service: Service): boolean => service.image.startsWith('stealth-recovery:');
const ours = Object.entries(compose.services).filter(([, service]) => ofOurImage(service));
const variables = new Set<string>(Object.values(settings).map(({ env }) => env));
const packageJson = JSON.parse(rootFile('package.json')) as { scripts: Record<string, string> };

class Reached extends Error {
  constructor(
    readonly purpose: string,
    readonly roles: readonly ServeRole[],
  ) {
    super('reached');
  }
}

/** Runs a command line up to where it opens anything. @returns what it would open; undefined when it did not get there */
const dryRun = async (service: Service): Promise<Reached | undefined> => {
  const environment = { ...imageVariables(), ...service.environment };
  let reached: Reached | undefined;
  const io = { json: false, interactive: false, print: () => Promise.resolve(), note: () => undefined };
  const cli = {
    io: io as never,
    readConfig: () => readConfig(environment),
    signal: new AbortController().signal,
    openServices: (_config: unknown, purpose: string, roles: readonly ServeRole[] = []) => {
      reached = new Reached(purpose, roles);
      return Promise.reject(reached);
    },
  };
  await run(cli, '0.0.0', service.command ?? []);
  return reached;
};

describe('docker-compose.yml', () => {
  it('has everything that the distributed set-up is made of', () =>
    expect(Object.keys(compose.services)).to.have.members([
      ...['postgres', 'eventstore', 'kafka', 'mailpit', 'migrate'],
      ...serveRoles,
    ]));

  for (const role of serveRoles)
    it(`runs ${role} as a process of its own, which would start`, async () => {
      const service = compose.services[role];
      const reached = service && (await dryRun(service));
      expect(reached).to.deep.include({ purpose: 'serve', roles: [role] });
      const config = readConfig({ ...imageVariables(), ...service?.environment });
      preflight(config, [role], silentLogger);
      expect(config).to.include({ host: '0.0.0.0', migrateOnStart: false });
    });

  it('migrates with a command that there is', async () =>
    expect(await dryRun(compose.services['migrate'] as Service)).to.include({ purpose: 'operate' }));

  it('builds one image, once, that nobody looks for elsewhere', () => {
    expect(ours.filter(([, { build }]) => build !== undefined).map(([name]) => name)).to.deep.equal([
      'migrate',
    ]);
    expect(new Set(ours.map(([, { image }]) => image)).size).to.equal(1);
    for (const [name, { depends_on: waits }] of ours.filter(([name]) => name !== 'migrate'))
      expect(waits?.['migrate'], name).to.deep.equal({ condition: 'service_completed_successfully' });
  });

  for (const [name, service] of ours)
    it(`sets only variables that the product reads: ${name}`, () => {
      for (const variable of Object.keys(service.environment ?? {}))
        expect(variables.has(variable), variable).to.equal(true);
    });

  it('lets no process of ours write to its root file system, or have more rights than anybody', () => {
    for (const [name, { read_only: readOnly, cap_drop: dropped, security_opt: options }] of ours)
      expect({ readOnly, dropped, options }, name).to.deep.equal({
        readOnly: true,
        dropped: ['ALL'],
        options: ['no-new-privileges:true'],
      });
  });

  it('waits for the health only of what has a health check', () => {
    for (const [name, { depends_on: waits = {} }] of Object.entries(compose.services))
      for (const [other, { condition }] of Object.entries(waits)) {
        const waitedFor = compose.services[other];
        expect(waitedFor, `${name} waits for ${other}`).not.to.equal(undefined);
        if (condition === 'service_healthy')
          expect(waitedFor?.healthcheck?.test, `${other} has a health check`).not.to.equal(undefined);
      }
  });

  it('opens ports to this machine only, and only for people', () => {
    const open = Object.entries(compose.services).filter(([, { ports }]) => ports !== undefined);
    expect(open.map(([name]) => name)).to.have.members(['api', 'eventstore', 'mailpit']);
    for (const port of open.flatMap(([, { ports = [] }]) => ports)) expect(port).to.match(/^127\.0\.0\.1:/);
  });

  it('declares every volume it mounts', () => {
    const mounted = Object.values(compose.services).flatMap(({ volumes = [] }) => volumes);
    expect(Object.keys(compose.volumes ?? {})).to.have.members([
      ...new Set(mounted.map((one) => one.split(':')[0])),
    ]);
  });

  it('connects with the login that the database is made with, and takes none that was made otherwise', () => {
    const { POSTGRES_USER: user, POSTGRES_PASSWORD: password } =
      compose.services['postgres']?.environment ?? {};
    for (const [name, { environment }] of ours)
      expect(environment?.['DATABASE_URL'], name).to.contain(`//${user}:${password}@postgres:`);
    const ofTheOneMachineFile = 'postgres';
    expect(compose.volumes).not.to.have.property(ofTheOneMachineFile);
  });

  it('is described with every service in docs/DOCKER_GUIDE.md', () => {
    const guide = rootFile('docs/DOCKER_GUIDE.md');
    for (const name of Object.keys(compose.services)) expect(guide).to.contain(`\`${name}\``);
  });
});

describe('compose.dev.yml', () => {
  it('changes each process of ours and nothing else', () =>
    expect(Object.keys(development.services)).to.have.members(ours.map(([name]) => name)));

  it('mounts what is there, and starts the sources', () => {
    for (const [name, { volumes = [], entrypoint = [] }] of Object.entries(development.services))
      for (const path of [...volumes.map((one) => one.split(':')[0] ?? ''), entrypoint.at(-1) ?? ''])
        expect(
          existsSync(fileURLToPath(new URL(`../${path}`, import.meta.url))),
          `${name}: ${path}`,
        ).to.equal(true);
  });
});

describe('Dockerfile', () => {
  it('sets only variables that the product reads', () => {
    for (const name of ['runtime', 'development'])
      for (const variable of Object.keys(imageVariables(name)))
        expect(variables.has(variable) || variable === 'NODE_ENV', variable).to.equal(true);
  });

  it('runs as an ordinary user, from a slim Debian', () => {
    for (const name of ['runtime', 'development']) expect(stage(name)).to.match(/^USER 1000:1000$/m);
    expect([...rootFile('Dockerfile').matchAll(/^FROM node:(\S+)/gm)].map(([, tag]) => tag)).to.deep.equal([
      '24-trixie-slim',
      '24-trixie-slim',
    ]);
  });

  it('holds what `npm ci` installs from the lock file without the packages of development', () => {
    expect(stage('dependencies')).to.match(/^RUN npm ci .*--omit=dev\b/m);
    const copied = [...stage('runtime').matchAll(/^COPY --from=(\S+) (\S+) (\S+)$/gm)];
    expect(copied.map(([, from, what, to]) => [from, what, to])).to.deep.equal([
      ['dependencies', '/app/node_modules', 'node_modules'],
      ['build', '/app/dist', 'dist'],
    ]);
  });

  it('starts the product with the flags of npm start', () => {
    const [, ...flags] = (packageJson.scripts['start'] ?? '').split(' ');
    expect(
      instruction('ENTRYPOINT')
        .slice(1)
        .map((word) => word.replace('/app/', '')),
    ).to.deep.equal(flags.slice(0, -1));
    expect(instruction('CMD')).to.deep.equal(flags.slice(-1));
  });
});

describe('.github/workflows/ci.yml', () => {
  const { jobs } = workflow('ci.yml');

  it('tests on every version of Node that is supported', () =>
    expect(jobs['test']?.strategy?.matrix.node).to.deep.equal([20, 22, 24]));

  it('runs scripts that there are', () => {
    const lines = Object.values(jobs).flatMap(({ steps }) =>
      steps.flatMap(({ run: line = '' }) => line.split('\n')),
    );
    const scripts = lines.flatMap((line) => /^npm run (\S+)$/.exec(line)?.[1] ?? []);
    expect(packageJson.scripts).to.include.keys(...scripts, 'test:eventstore');
    for (const file of lines.flatMap((line) => /^\.\S+/.exec(line)?.[0] ?? []))
      expect(existsSync(fileURLToPath(new URL(`../${file}`, import.meta.url))), file).to.equal(true);
  });

  it('tests the event store on the server that compose starts', () =>
    expect(jobs['eventstore']?.services?.['eventstore']?.image).to.equal(
      compose.services['eventstore']?.image,
    ));
});
