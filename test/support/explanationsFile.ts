/** Writes explanations.json anew: `npm run docs:explanations`. Read its diff, it is what merchants are told. */
import { writeFile } from 'node:fs/promises';
import { explained, explanationCases } from './explanationCases.js';

const all = Object.entries(explanationCases).map(([name, one]) => [name, explained(one)] as const);
const target = new URL('explanations.json', import.meta.url);
await writeFile(target, `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`);
