import type { OrderPlacement, OrderPlacementStore } from '@v402/application';
import type { ContractId, OrderPlacementState, Side } from '@v402/domain';
import { columns, type Session } from '../session.js';
import { bytea, hexOf, microsOf, optionalBytea, optionalMicros, timestampOf } from '../values.js';

const COLUMNS = `contract_id, side, state, attempt, unknowns, look_up_not_before, order_system, order_number, order_url,
  code, ordered_at`;

const INPUT = `unnest($1::bytea[], $2::text[], $3::text[], $4::int[], $5::int[], $6::bigint[], $7::text[], $8::text[],
  $9::text[], $10::text[], $11::bigint[]) AS n (${COLUMNS})`;

const INSERT = `
  INSERT INTO v402.order_placement (${COLUMNS})
  SELECT contract_id, side, state, attempt, unknowns, ${timestampOf('look_up_not_before')}, order_system, order_number,
    order_url, code, ${timestampOf('ordered_at')}
  FROM ${INPUT}`;

const SAVE = `
  UPDATE v402.order_placement o
  SET state = n.state, revision = o.revision + 1, attempt = n.attempt, unknowns = n.unknowns,
    look_up_not_before = ${timestampOf('n.look_up_not_before')}, order_system = n.order_system,
    order_number = n.order_number, order_url = n.order_url, code = n.code, ordered_at = ${timestampOf('n.ordered_at')}
  FROM ${INPUT} WHERE o.contract_id = n.contract_id AND o.side = n.side`;

// An order that is tried again has all its tries again.
const REDRIVE = `
  UPDATE v402.order_placement o
  SET state = n.state, revision = o.revision + 1, look_up_not_before = ${timestampOf('n.look_up_not_before')},
    redrives = n.redrives, unknowns_before = o.unknowns
  FROM unnest($1::bytea[], $2::text[], $3::text[], $4::bigint[], $5::int[])
    AS n (contract_id, side, state, look_up_not_before, redrives)
  WHERE o.contract_id = n.contract_id AND o.side = n.side`;

const ADOPT = `
  UPDATE v402.order_placement o
  SET state = n.state, revision = o.revision + 1, order_system = n.order_system, order_number = n.order_number,
    order_url = n.order_url, ordered_at = ${timestampOf('n.ordered_at')}, adopted_from = n.adopted_from
  FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bytea[])
    AS n (contract_id, side, state, order_system, order_number, order_url, ordered_at, adopted_from)
  WHERE o.contract_id = n.contract_id AND o.side = n.side`;

const OF_SETTLEMENTS = `
  SELECT ${hexOf('contract_id')} AS "contractId", side, state, attempt, unknowns,
    ${microsOf('look_up_not_before')} AS "lookUpNotBefore", order_system AS "orderSystem",
    order_number AS "orderNumber", order_url AS "orderUrl", code, ${microsOf('ordered_at')} AS "orderedAt",
    redrives, unknowns_before AS "unknownsBefore", ${hexOf('adopted_from')} AS "adoptedFrom"
  FROM v402.order_placement WHERE contract_id = ANY ($1::bytea[])
  ORDER BY order_placement.contract_id, side`;

type Row = {
  contractId: string;
  side: Side;
  state: OrderPlacementState;
  attempt: number;
  unknowns: number;
  lookUpNotBefore: string | null;
  orderSystem: string | null;
  orderNumber: string | null;
  orderUrl: string | null;
  code: string | null;
  orderedAt: string | null;
  redrives: number;
  unknownsBefore: number;
  adoptedFrom: string | null;
};

export class PgOrderPlacementStore implements OrderPlacementStore {
  constructor(private readonly session: Session) {}

  async insert(rows: readonly OrderPlacement[]): Promise<void> {
    await this.session.write(INSERT, inputOf(rows));
  }

  async ofSettlements(ids: readonly ContractId[]): Promise<readonly OrderPlacement[]> {
    const rows = await this.session.query<Row>(OF_SETTLEMENTS, [ids.map(bytea)]);
    return rows.map((row) => ({
      ...row,
      lookUpNotBefore: optionalMicros(row.lookUpNotBefore),
      orderSystem: row.orderSystem ?? undefined,
      orderNumber: row.orderNumber ?? undefined,
      orderUrl: row.orderUrl ?? undefined,
      code: row.code ?? undefined,
      orderedAt: optionalMicros(row.orderedAt),
      adoptedFrom: row.adoptedFrom ?? undefined,
    }));
  }

  async save(rows: readonly OrderPlacement[]): Promise<void> {
    await this.session.writeEach(SAVE, rows, inputOf(rows));
  }

  async redrive(rows: readonly OrderPlacement[]): Promise<void> {
    await this.session.writeEach(
      REDRIVE,
      rows,
      columns(
        rows,
        (row) => bytea(row.contractId),
        (row) => row.side,
        (row) => row.state,
        (row) => row.lookUpNotBefore ?? null,
        (row) => row.redrives,
      ),
    );
  }

  async adopt(rows: readonly OrderPlacement[]): Promise<void> {
    await this.session.writeEach(
      ADOPT,
      rows,
      columns(
        rows,
        (row) => bytea(row.contractId),
        (row) => row.side,
        (row) => row.state,
        (row) => row.orderSystem ?? null,
        (row) => row.orderNumber ?? null,
        (row) => row.orderUrl ?? null,
        (row) => row.orderedAt ?? null,
        (row) => optionalBytea(row.adoptedFrom),
      ),
    );
  }
}

const inputOf = (rows: readonly OrderPlacement[]): ReturnType<typeof columns> =>
  columns(
    rows,
    (row) => bytea(row.contractId),
    (row) => row.side,
    (row) => row.state,
    (row) => row.attempt,
    (row) => row.unknowns,
    (row) => row.lookUpNotBefore ?? null,
    (row) => row.orderSystem ?? null,
    (row) => row.orderNumber ?? null,
    (row) => row.orderUrl ?? null,
    (row) => row.code ?? null,
    (row) => row.orderedAt ?? null,
  );
