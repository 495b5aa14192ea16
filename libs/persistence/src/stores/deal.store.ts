import type { DealKey, DealRecord, DealStore, HoldRecord } from '@v402/application';
import { columns, type Session } from '../session.js';
import { bytea, hexOf } from '../values.js';

// In key order: two batches that bring the same new deals wait for each other in one direction only.
const INSERT_MISSING = `
  INSERT INTO v402.deal (key, negotiation_id, buyer, seller)
  SELECT key, negotiation_id, buyer, seller
  FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[]) AS n (key, negotiation_id, buyer, seller)
  ORDER BY key
  ON CONFLICT (key) DO NOTHING`;

// PostgreSQL sorts first and locks row by row as the sorted rows come. Not FOR UPDATE: the foreign keys of settlements
// and holds that others insert must not wait, and nobody ever changes a key.
const LOCK = 'SELECT FROM v402.deal WHERE key = ANY ($1::bytea[]) ORDER BY key FOR NO KEY UPDATE';

const HELD = `
  SELECT DISTINCT ${hexOf('deal_key')} AS key FROM v402.hold
  WHERE deal_key = ANY ($1::bytea[]) AND released_at IS NULL`;

const PLACE_HOLDS = `
  INSERT INTO v402.hold (id, deal_key, contract_id, reason, evidence, placed_by)
  SELECT id, deal_key, contract_id, reason, evidence, placed_by
  FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::text[], $5::jsonb[], $6::text[])
    AS n (id, deal_key, contract_id, reason, evidence, placed_by)`;

export class PgDealStore implements DealStore {
  constructor(private readonly session: Session) {}

  async insertMissing(deals: readonly DealRecord[]): Promise<void> {
    await this.session.write(
      INSERT_MISSING,
      columns(
        deals,
        (deal) => bytea(deal.key),
        (deal) => deal.negotiationId,
        (deal) => deal.buyer,
        (deal) => deal.seller,
      ),
    );
  }

  async lock(keys: readonly DealKey[]): Promise<void> {
    await this.session.write(LOCK, [keys.map(bytea)]);
  }

  async held(keys: readonly DealKey[]): Promise<ReadonlySet<DealKey>> {
    const rows = await this.session.query<{ key: string }>(HELD, [keys.map(bytea)]);
    return new Set(rows.map((row) => row.key));
  }

  async placeHolds(holds: readonly HoldRecord[]): Promise<void> {
    await this.session.write(
      PLACE_HOLDS,
      columns(
        holds,
        (hold) => hold.id,
        (hold) => bytea(hold.dealKey),
        (hold) => bytea(hold.contractId),
        (hold) => hold.cause.reason,
        (hold) => JSON.stringify(hold.cause.evidence),
        (hold) => hold.placedBy,
      ),
    );
  }
}
