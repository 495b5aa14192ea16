import type {
  AcceptedContract,
  DealKey,
  NewSettlement,
  SettlementRecord,
  SettlementStore,
  StreamPosition,
} from '@v402/application';
import {
  type ContractId,
  type DeliveryState,
  type OrderPlacementState,
  type PaymentLegState,
  type SettlementFacts,
  type SettlementState,
  settlementState,
} from '@v402/domain';
import { columns, type Session } from '../session.js';
import { bytea, bytes, hexOf, instantLabel, microsOf, optionalBytea, optionalMicros, timestampOf } from '../values.js';

const RECORD = `
  ${hexOf('contract_id')} AS "contractId", ${hexOf('deal_key')} AS "dealKey", current, state,
  short_ref AS "shortRef", order_reference AS "orderReference", traceparent,
  settlement_sequence AS settlement, payment_sequence AS payments, delivery_sequence AS deliveries,
  ${microsOf('last_event_at')} AS "lastEventAt"`;

const ACCEPTED = `
  SELECT ${hexOf('contract_id')} AS "contractId" FROM v402.settlement WHERE contract_id = ANY ($1::bytea[])`;

// PostgreSQL sorts first and locks row by row as the sorted rows come. Not FOR UPDATE: orders, legs and deliveries
// refer to the settlement, and no key ever changes. The facts have to be read by a later statement: this one sees the
// database as it was before it waited for the locks.
const LOCK_OF_DEALS = `
  SELECT ${RECORD} FROM v402.settlement WHERE deal_key = ANY ($1::bytea[])
  ORDER BY contract_id FOR NO KEY UPDATE`;

const READ = `SELECT ${RECORD}, canonical FROM v402.settlement WHERE contract_id = ANY ($1::bytea[]) ORDER BY contract_id`;
const LOCK = `${READ} FOR NO KEY UPDATE`;

const FACTS = `
  SELECT ${hexOf('contract_id')} AS "contractId", state,
    ARRAY(SELECT o.state FROM v402.order_placement o WHERE o.contract_id = s.contract_id) AS orders,
    ARRAY(SELECT l.state FROM v402.payment_leg l WHERE l.contract_id = s.contract_id) AS legs,
    ARRAY(SELECT d.state FROM v402.delivery d WHERE d.contract_id = s.contract_id) AS deliveries
  FROM v402.settlement s WHERE contract_id = ANY ($1::bytea[])`;

const INSERT = `
  INSERT INTO v402.settlement (contract_id, deal_key, current, state, short_ref, order_reference, canonical, traceparent,
    settlement_sequence, payment_sequence, delivery_sequence, last_event_at,
    supersedes, currency, total, agreed_at, expires_at, accepted_at)
  SELECT contract_id, deal_key, current, state, short_ref, order_reference, canonical, traceparent,
    settlement_sequence, payment_sequence, delivery_sequence, ${timestampOf('last_event_at')},
    supersedes, currency, total, agreed_at, expires_at, ${timestampOf('accepted_at')}
  FROM unnest($1::bytea[], $2::bytea[], $3::boolean[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::text[],
      $9::int[], $10::int[], $11::int[], $12::bigint[],
      $13::bytea[], $14::text[], $15::numeric[], $16::timestamptz[], $17::timestamptz[], $18::bigint[])
    AS n (contract_id, deal_key, current, state, short_ref, order_reference, canonical, traceparent,
      settlement_sequence, payment_sequence, delivery_sequence, last_event_at,
      supersedes, currency, total, agreed_at, expires_at, accepted_at)
  ORDER BY contract_id`;

const RETIRE = 'UPDATE v402.settlement SET current = false WHERE contract_id = ANY ($1::bytea[]) AND current';

const MAKE_CURRENT = 'UPDATE v402.settlement SET current = true WHERE contract_id = $1';

// Whoever counts need not hold the locks already, so they are taken in order here too.
const COUNT_DUPLICATES = `
  WITH locked AS (
    SELECT s.contract_id, n.count
    FROM v402.settlement s JOIN unnest($1::bytea[], $2::int[]) AS n (contract_id, count) USING (contract_id)
    ORDER BY s.contract_id FOR NO KEY UPDATE OF s
  )
  UPDATE v402.settlement s SET duplicates = duplicates + locked.count
  FROM locked WHERE s.contract_id = locked.contract_id`;

const SAVE_STATES = `
  UPDATE v402.settlement s SET state = n.state
  FROM unnest($1::bytea[], $2::text[]) AS n (contract_id, state) WHERE s.contract_id = n.contract_id`;

/* Row types hold what the CHECKs of their columns allow. */
type PositionRow = { settlement: number; payments: number; deliveries: number; lastEventAt: string | null };
type RecordRow = PositionRow & {
  contractId: string;
  dealKey: string;
  current: boolean;
  state: SettlementState;
  shortRef: string;
  orderReference: string;
  traceparent: string | null;
};
type FactsRow = {
  contractId: string;
  state: SettlementState;
  orders: OrderPlacementState[];
  legs: PaymentLegState[];
  deliveries: DeliveryState[];
};

export class PgSettlementStore implements SettlementStore {
  constructor(private readonly session: Session) {}

  async accepted(ids: readonly ContractId[]): Promise<ReadonlySet<ContractId>> {
    const rows = await this.session.query<{ contractId: string }>(ACCEPTED, [ids.map(bytea)]);
    return new Set(rows.map((row) => row.contractId));
  }

  async lockOfDeals(keys: readonly DealKey[]): Promise<readonly AcceptedContract[]> {
    const rows = await this.session.query<RecordRow>(LOCK_OF_DEALS, [keys.map(bytea)]);
    const facts = new Map<ContractId, SettlementFacts>(
      (await this.#facts(rows.map((row) => row.contractId))).map((row) => [row.contractId, row]),
    );
    return rows.map((row) => {
      const { orders = [], legs = [], deliveries = [] } = facts.get(row.contractId) ?? {};
      return { ...acceptedOf(row), facts: { orders, legs, deliveries } };
    });
  }

  async lock(ids: readonly ContractId[]): Promise<readonly SettlementRecord[]> {
    return this.#records(LOCK, ids);
  }

  async read(ids: readonly ContractId[]): Promise<readonly SettlementRecord[]> {
    return this.#records(READ, ids);
  }

  async insert(settlements: readonly NewSettlement[]): Promise<void> {
    await this.session.write(
      INSERT,
      columns(
        settlements,
        (row) => bytea(row.contractId),
        (row) => bytea(row.dealKey),
        (row) => row.current,
        (row) => row.state,
        (row) => row.shortRef,
        (row) => row.orderReference,
        (row) => bytes(row.canonical),
        (row) => row.traceparent ?? null,
        (row) => row.position.settlement,
        (row) => row.position.payments,
        (row) => row.position.deliveries,
        (row) => row.position.lastEventAt ?? null,
        (row) => optionalBytea(row.supersedes),
        (row) => row.currency,
        (row) => row.total,
        (row) => instantLabel(row.agreedAt),
        (row) => instantLabel(row.expiresAt),
        (row) => row.acceptedAt,
      ),
    );
  }

  async retire(ids: readonly ContractId[]): Promise<void> {
    await this.session.write(RETIRE, [ids.map(bytea)]);
  }

  async makeCurrent(id: ContractId): Promise<void> {
    await this.session.writeEach(MAKE_CURRENT, [id], [bytea(id)]);
  }

  async countDuplicates(counts: ReadonlyMap<ContractId, number>): Promise<void> {
    await this.session.write(COUNT_DUPLICATES, [[...counts.keys()].map(bytea), [...counts.values()]]);
  }

  async deriveStates(ids: readonly ContractId[]): Promise<void> {
    const changed = (await this.#facts(ids))
      .map((row) => ({ contractId: row.contractId, from: row.state, to: settlementState(row) }))
      .filter(({ from, to }) => from !== to);
    await this.session.writeEach(
      SAVE_STATES,
      changed,
      columns(
        changed,
        (row) => bytea(row.contractId),
        (row) => row.to,
      ),
    );
  }

  #facts(ids: readonly ContractId[]): Promise<FactsRow[]> {
    return this.session.query<FactsRow>(FACTS, [ids.map(bytea)]);
  }

  async #records(sql: string, ids: readonly ContractId[]): Promise<readonly SettlementRecord[]> {
    const rows = await this.session.query<RecordRow & { canonical: Buffer }>(sql, [ids.map(bytea)]);
    return rows.map((row) => ({ ...acceptedOf(row), canonical: row.canonical }));
  }
}

function acceptedOf(row: RecordRow): Omit<SettlementRecord, 'canonical'> {
  const { contractId, dealKey, current, state, shortRef, orderReference } = row;
  const traceparent = row.traceparent ?? undefined;
  return { contractId, dealKey, current, state, shortRef, orderReference, traceparent, position: positionOf(row) };
}

function positionOf({ settlement, payments, deliveries, lastEventAt }: PositionRow): StreamPosition {
  return { settlement, payments, deliveries, lastEventAt: optionalMicros(lastEventAt) };
}
