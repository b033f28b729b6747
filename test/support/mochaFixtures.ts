/** Runs what test support has registered, last first, when the whole mocha run is over. */
import { runAtTheEnd } from './atTheEnd.js';

export const mochaGlobalTeardown = runAtTheEnd;
