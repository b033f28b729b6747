/** docs/asyncapi.yaml; run as a script (`npm run docs:asyncapi`), it is written anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { asyncApi } from '../../src/events/integration/asyncApi.js';

const FILE = fileURLToPath(new URL('../../docs/asyncapi.yaml', import.meta.url));
/** Of the topic's format, which has a life of its own beside the product's. */
const VERSION = '1.0.0';

export const asyncApiText = (): string =>
  stringify(asyncApi(VERSION), { lineWidth: 110, aliasDuplicateObjects: false });
export const asyncApiFile = (): string => readFileSync(FILE, 'utf8');

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(FILE, asyncApiText());
