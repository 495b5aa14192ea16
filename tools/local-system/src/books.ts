import type { ContractId } from '@v402/domain';
import type { DatabaseUrls } from '@v402/persistence';
import type { SeenOrder, SeenTrade } from '@v402/simulators';
import pg from 'pg';

const ORDERS = `
  SELECT encode(contract_id, 'hex') AS "contractId", CASE kind WHEN 'sales_order' THEN 'seller' ELSE 'buyer' END AS side,
         total::text AS total, currency
    FROM orderbook.order_head`;
const DUPLICATES = `SELECT encode(contract_id, 'hex') AS name, duplicates AS times FROM v402.settlement WHERE duplicates > 0`;
const REJECTIONS = `SELECT encode(raw_digest, 'hex') || ':' || code AS name, occurrences AS times FROM v402.rejection`;
const QUARANTINED = `SELECT encode(contract_id, 'hex') AS name, occurrences AS times FROM v402.quarantine`;

/** The orders as they stand in the embedded order book, read as its own role. */
export async function readOrders({ orderbookUrl }: Pick<DatabaseUrls, 'orderbookUrl'>): Promise<readonly SeenOrder[]> {
  return withClient(orderbookUrl, async (client) => (await client.query<SeenOrder>(ORDERS)).rows);
}

/** What the services have counted and set aside, read as their role. */
export async function readCounts({
  appUrl,
}: Pick<DatabaseUrls, 'appUrl'>): Promise<Pick<SeenTrade, 'duplicates' | 'rejections' | 'quarantined'>> {
  return withClient(appUrl, async (client) => ({
    duplicates: await times(client, DUPLICATES),
    rejections: await times(client, REJECTIONS),
    quarantined: await times(client, QUARANTINED),
  }));
}

/** Drops a database, cutting off whoever is still connected. */
export async function dropDatabase(adminUrl: string, database: string): Promise<void> {
  await withClient(adminUrl, async (client) => {
    await client.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(database)} WITH (FORCE)`);
  });
}

async function times(client: pg.Client, sql: string): Promise<ReadonlyMap<ContractId, number>> {
  const { rows } = await client.query<{ name: string; times: number }>(sql);
  return new Map(rows.map((row) => [row.name, row.times]));
}

async function withClient<T>(connectionString: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString, application_name: 'v402 local system' });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
