// @ts-check
/**
 * The layers: kernel ← events ← commands, projections ← api, workers. infra knows kernel and events only; the
 * composition roots (main.ts and cli/) alone know infra and the configuration.
 * Type-only imports count: a type is knowledge too.
 */

/** Files that are no part of the product: they may import what they test. */
const spec = '\\.spec\\.ts$';

/**
 * @param {string} layer
 * @param {string[]} allowed other layers it may import
 * @param {string} comment
 * @returns {import('dependency-cruiser').IForbiddenRuleType}
 */
const layer = (layer, allowed, comment) => ({
  name: `layer-${layer}`,
  comment,
  severity: 'error',
  from: { path: `^src/${layer}/`, pathNot: spec },
  to: { path: '^(src|test|bench)/', pathNot: [layer, ...allowed].map((name) => `^src/${name}/`) },
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    layer('kernel', [], 'The kernel is pure and imports nothing of ours.'),
    layer('events', ['kernel'], 'Events know the kernel only.'),
    layer('commands', ['kernel', 'events'], 'Commands decide from streams: no read model, no adapter.'),
    layer('projections', ['kernel', 'events'], 'Read models are folded from events alone.'),
    layer(
      'api',
      ['kernel', 'events', 'commands', 'projections'],
      'What api needs from infra is an argument.',
    ),
    layer(
      'workers',
      ['kernel', 'events', 'commands', 'projections'],
      'What workers need from infra is an argument; main.ts puts them together.',
    ),
    layer('demo', ['kernel'], 'The demo is a client: it talks to the running system over HTTP.'),
    layer('infra', ['kernel', 'events'], 'An adapter knows the ports, not who calls it.'),
    {
      name: 'config-stands-alone',
      comment: 'The configuration imports nothing; slices of it are handed down by the composition roots.',
      severity: 'error',
      from: { path: '^src/config\\.ts$' },
      to: { path: '^src/' },
    },
    {
      name: 'product-without-tests',
      comment: 'Nothing of the product needs a test, a bench or a spec file.',
      severity: 'error',
      from: { path: '^src/', pathNot: spec },
      to: { path: ['^(test|bench)/', spec] },
    },
    {
      name: 'nothing-imports-the-command-line',
      comment: 'cli/ is an end of the graph; bin/recovery.js starts it.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/cli/', spec] },
      to: { path: '^src/cli/', pathNot: '^src/cli/services\\.ts$' },
    },
    {
      name: 'no-circular',
      comment: 'A circle has no order to understand or to load it in.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'A module nobody imports is dead, or an entry that must be named here.',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: [spec, '^src/cli/main\\.ts$'] },
      to: {},
    },
    {
      name: 'not-to-unresolvable',
      comment: 'The import leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-dependency-in-product',
      comment: 'What runs in production is installed with --omit=dev.',
      severity: 'error',
      from: { path: '^src/', pathNot: spec },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'pure-core-without-io',
      comment: 'kernel, events and commands reach neither the network nor the disk nor another process.',
      severity: 'error',
      from: { path: '^src/(kernel|events|commands)/', pathNot: spec },
      to: {
        dependencyTypes: ['core'],
        path: '^(node:)?(fs|fs/promises|net|http|https|http2|tls|dgram|dns|child_process|cluster|worker_threads)$',
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
