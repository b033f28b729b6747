/** Fails in a way that nobody catches: `exception`, `rejection`, or after a `traced` request. */
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { endAtUncaught } from '../../src/composition/lastResort.js';
import { readConfig } from '../../src/config.js';
import { createLogger } from '../../src/infra/logging/logger.js';
import { startErrorReporting } from '../../src/infra/sentry/errorReporting.js';

const [how = '', email = '', name = '', password = '', card = ''] = process.argv.slice(2);
const config = readConfig();
const reporting = await startErrorReporting(config);
endAtUncaught(createLogger(config), reporting);

const error = Object.assign(new Error(`duplicate key "${name}" of ${email}, card ${card}`), {
  detail: email,
  parameters: [password],
});
if (how === 'rejection') void Promise.reject(error);
if (how === 'traced') {
  const res = new EventEmitter();
  const fields = () => ({ method: 'GET', path: '/x', status_code: 200 });
  reporting?.trace(fields)({} as never, res as ServerResponse, () => undefined);
  res.emit('close');
}
setTimeout(() => {
  throw error;
}, 10);
