// @ts-check
import { defineConfig } from 'eslint/config';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** Time, chance and ids enter as inputs (Clock, id generator): what decides can then be replayed. */
const impure = [
  {
    selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
    message: 'Time is an input: take a Clock or an Instant.',
  },
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0], CallExpression[callee.name='Date']",
    message: 'Time is an input: take a Clock or an Instant.',
  },
  {
    selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']",
    message: 'Chance is an input: derive it from an id.',
  },
  {
    selector: "CallExpression[callee.name='randomUUID'], CallExpression[callee.property.name='randomUUID']",
    message: 'Ids are inputs: derive them (kernel/ids.ts) or take them as arguments.',
  },
  {
    selector: "ImportDeclaration[source.value='uuid'] ImportSpecifier[imported.name=/^v[1467]$/]",
    message: 'Ids are inputs: derive them (kernel/ids.ts) or take them as arguments.',
  },
];
const defaultExport = [
  { selector: 'ExportDefaultDeclaration', message: 'Use a named export.' },
  { selector: "ExportSpecifier[exported.name='default']", message: 'Use a named export.' },
];
const environment = [
  {
    selector:
      "MemberExpression[object.name='process']:matches([property.name='env'], [property.value='env'])",
    message: 'Only src/config.ts reads the environment.',
  },
  {
    selector: "VariableDeclarator[init.name='process'] Property[key.name='env']",
    message: 'Only src/config.ts reads the environment.',
  },
  {
    selector: "ImportDeclaration[source.value=/^(node:)?process$/] ImportSpecifier[imported.name='env']",
    message: 'Only src/config.ts reads the environment.',
  },
];
const specs = ['**/*.spec.ts'];

/** @param {{ selector: string, message: string }[][]} groups */
const restrict = (...groups) => ({
  'no-restricted-syntax': /** @type {const} */ (['error', ...groups.flat()]),
});

export default defineConfig(
  { ignores: ['dist/', '.data/', 'coverage/', 'node_modules/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
      ],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'max-lines': ['error', { max: 400 }],
      'max-lines-per-function': ['error', { max: 60 }],
      'no-console': 'error',
      'no-control-regex': 'error',
      'no-debugger': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      ...restrict(impure, defaultExport, environment),
    },
  },
  { files: ['src/infra/**/*.ts'], rules: restrict(defaultExport, environment) },
  { files: ['src/cli/**/*.ts'], rules: { 'no-console': 'off', ...restrict(defaultExport, environment) } },
  { files: ['src/config.ts'], rules: restrict(impure, defaultExport) },
  {
    files: [...specs, 'test/**/*.ts', 'bench/**/*.ts'],
    rules: { 'no-console': 'off', ...restrict(defaultExport) },
  },
  // The callbacks of describe are one function each; what is inside an `it` is short by habit.
  { files: [...specs, 'test/support/*Contract.ts'], rules: { 'max-lines-per-function': 'off' } },
  {
    files: ['**/*.js', '**/*.cjs'],
    languageOptions: { globals: globals.node },
    rules: { 'no-undef': 'error', 'no-unused-vars': 'error', 'prefer-const': 'error', eqeqeq: 'error' },
  },
);
