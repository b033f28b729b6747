/** The least that Express can do: parse a body and do one INSERT; do one SELECT and answer with the row. */
import { randomUUID } from 'node:crypto';
import express from 'express';
import { createPool } from '../../src/infra/postgres/pool.js';
import { silentLogger as logger } from '../../src/kernel/logger.js';
import { recoveries } from '../../src/projections/recoveries/projection.js';

const TABLE = `
  CREATE TABLE IF NOT EXISTS bare_events (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream_id text, revision bigint, event_id uuid,
    type text, org_id uuid, data json, metadata json, recorded_at timestamptz DEFAULT now())`;
const INSERT = `
  INSERT INTO bare_events (stream_id, revision, event_id, type, org_id, data, metadata)
  VALUES ($1, $2, $3, $4, $5, $6, $7)`;
const columns = Object.keys(recoveries.table.columns)
  .map((column) => `"${column}"`)
  .join(', ');
const SELECT = `SELECT ${columns} FROM "recoveries" WHERE org_id = $1 AND key = $2`;

const { DATABASE_URL: url = '', DATABASE_POOL_SIZE: size, ORG_ID: orgId = '' } = process.env;
const pool = createPool({ url, max: Number(size), logger });

/** As long as the metadata that the product writes. */
const metadataOf = () => ({
  org_id: orgId,
  actor: { type: 'user', id: orgId },
  correlation_id: orgId,
  causation_id: orgId,
  command_id: orgId,
  request_id: orgId,
  schema_version: 1,
  occurred_at: '2026-01-01T00:00:00.000Z',
});

const app = express();
app.disable('etag');
app.disable('x-powered-by');
app.post('/insert', express.json(), async (req, res) => {
  const id = randomUUID();
  const documents = [JSON.stringify(req.body), JSON.stringify(metadataOf())];
  const values = [`payment-${id}`, '0', id, 'PaymentFailed', orgId, ...documents];
  await pool.query({ name: 'insert', text: INSERT, values });
  res.status(202).json({ payment_id: id, recovery_id: id, event_id: id });
});
app.get('/recoveries/:id', async (req, res) => {
  const { rows } = await pool.query({ name: 'select', text: SELECT, values: [orgId, req.params.id] });
  res.json(rows[0]);
});

await pool.query(TABLE);
const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' && address !== null ? address.port : 0 });
});
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(0));
