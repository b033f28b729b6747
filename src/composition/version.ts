import { createRequire } from 'node:module';

/** As package.json says, from src/ and from dist/ alike. */
export const VERSION = (createRequire(import.meta.url)('../../package.json') as { version: string }).version;
