/** The files that package the product, as they are read by Docker and by the project's hosting. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export interface Service {
  readonly image: string;
  readonly build?: unknown;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly entrypoint?: readonly string[];
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes?: Readonly<Record<string, unknown>>;
}

export interface Workflow {
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly strategy?: { readonly matrix: { readonly node: readonly number[] } };
        readonly services?: Readonly<Record<string, { readonly image: string }>>;
        readonly steps: readonly { readonly run?: string; readonly env?: Record<string, string> }[];
      }
    >
  >;
}

export const rootFile = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${name}`, import.meta.url)), 'utf8');

const scalar = (text: string): string => text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');

/** As `docker compose` reads it where no variable is set: `${NAME:-default}` is its default, and text. */
export const composeFile = (name: string): Compose =>
  parse(rootFile(name), (_key, value: unknown) => (typeof value === 'string' ? scalar(value) : value), {
    merge: true,
  }) as Compose;

export const workflow = (name: string): Workflow => parse(rootFile(`.github/workflows/${name}`)) as Workflow;

/** The lines of a stage of the Dockerfile; `runtime` is the image that runs. */
export const stage = (name: string): string => {
  const stages = rootFile('Dockerfile')
    .replaceAll('\\\n', ' ')
    .split(/^FROM \S+ AS /m);
  return stages.find((lines) => lines.startsWith(`${name}\n`)) ?? '';
};

/** The JSON array that an instruction of the image takes. */
export const instruction = (name: string): readonly string[] => {
  const line = new RegExp(`^${name}\\b.*?(\\[.*\\])$`, 'm').exec(stage('runtime'))?.[1];
  return JSON.parse(line ?? '[]') as string[];
};

/** What the image of a stage itself sets. */
export const imageVariables = (name = 'runtime'): Record<string, string> =>
  Object.fromEntries(
    [...stage(name).matchAll(/^ENV (.+)$/gm)]
      .flatMap(([, pairs = '']) => pairs.split(' '))
      .map((pair) => pair.split('=') as [string, string]),
  );
