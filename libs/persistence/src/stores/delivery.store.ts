import type { DeliveryRow, DeliveryStore } from '@v402/application';
import type { ContractId, DeliveryState, Side } from '@v402/domain';
import { columns, type Session } from '../session.js';
import { bytea, dateOf, dateOfText, dateText, hexOf } from '../values.js';

const INSERT = `
  INSERT INTO v402.delivery (contract_id, side, delivery_id, number, state, attempt, not_before, not_after)
  SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::int[], $5::text[], $6::int[], $7::date[], $8::date[])`;

// What was agreed never changes, so only the progress is written.
const SAVE = `
  UPDATE v402.delivery d SET state = n.state, revision = d.revision + 1, attempt = n.attempt, code = n.code
  FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::int[], $6::text[])
    AS n (contract_id, side, delivery_id, state, attempt, code)
  WHERE d.contract_id = n.contract_id AND d.side = n.side AND d.delivery_id = n.delivery_id`;

const OF_SETTLEMENTS = `
  SELECT ${hexOf('contract_id')} AS "contractId", side, delivery_id AS "deliveryId", number, state, attempt,
    ${dateOf('not_before')} AS "notBefore", ${dateOf('not_after')} AS "notAfter", code
  FROM v402.delivery WHERE contract_id = ANY ($1::bytea[])
  ORDER BY delivery.contract_id, side, number`;

type Row = {
  contractId: string;
  side: Side;
  deliveryId: string;
  number: number;
  state: DeliveryState;
  attempt: number;
  notBefore: string;
  notAfter: string;
  code: string | null;
};

export class PgDeliveryStore implements DeliveryStore {
  constructor(private readonly session: Session) {}

  async insert(rows: readonly DeliveryRow[]): Promise<void> {
    await this.session.write(
      INSERT,
      columns(
        rows,
        (row) => bytea(row.contractId),
        (row) => row.side,
        (row) => row.deliveryId,
        (row) => row.number,
        (row) => row.state,
        (row) => row.attempt,
        (row) => dateText(row.notBefore),
        (row) => dateText(row.notAfter),
      ),
    );
  }

  async ofSettlements(ids: readonly ContractId[]): Promise<readonly DeliveryRow[]> {
    const rows = await this.session.query<Row>(OF_SETTLEMENTS, [ids.map(bytea)]);
    return rows.map((row) => ({
      ...row,
      notBefore: dateOfText(row.notBefore),
      notAfter: dateOfText(row.notAfter),
      code: row.code ?? undefined,
    }));
  }

  async save(rows: readonly DeliveryRow[]): Promise<void> {
    await this.session.writeEach(
      SAVE,
      rows,
      columns(
        rows,
        (row) => bytea(row.contractId),
        (row) => row.side,
        (row) => row.deliveryId,
        (row) => row.state,
        (row) => row.attempt,
        (row) => row.code ?? null,
      ),
    );
  }
}
