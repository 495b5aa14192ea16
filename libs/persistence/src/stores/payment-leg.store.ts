import type { PaymentLeg, PaymentLegStore } from '@v402/application';
import type { ContractId, PaymentLegState, Rail, Side, Trigger } from '@v402/domain';
import { columns, type Session } from '../session.js';
import {
  bytea,
  dateOf,
  dateOfText,
  dateText,
  decimalOf,
  hexOf,
  microsOf,
  optionalMicros,
  timestampOf,
} from '../values.js';

const INSERT = `
  INSERT INTO v402.payment_leg (contract_id, side, leg_id, number, state, attempt, trigger, days, rail, amount, currency,
    triggered_at, due_date, code)
  SELECT contract_id, side, leg_id, number, state, attempt, trigger, days, rail, amount, currency,
    ${timestampOf('triggered_at')}, due_date, code
  FROM unnest($1::bytea[], $2::text[], $3::text[], $4::int[], $5::text[], $6::int[], $7::text[], $8::int[], $9::text[],
      $10::numeric[], $11::text[], $12::bigint[], $13::date[], $14::text[])
    AS n (contract_id, side, leg_id, number, state, attempt, trigger, days, rail, amount, currency,
      triggered_at, due_date, code)`;

// What was agreed never changes, so only the progress is written.
const SAVE = `
  UPDATE v402.payment_leg l
  SET state = n.state, revision = l.revision + 1, attempt = n.attempt, triggered_at = ${timestampOf('n.triggered_at')},
    due_date = n.due_date, code = n.code
  FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bigint[], $7::date[], $8::text[])
    AS n (contract_id, side, leg_id, state, attempt, triggered_at, due_date, code)
  WHERE l.contract_id = n.contract_id AND l.side = n.side AND l.leg_id = n.leg_id`;

const OF_SETTLEMENTS = `
  SELECT ${hexOf('contract_id')} AS "contractId", side, leg_id AS "legId", number, state, attempt, trigger, days, rail,
    ${decimalOf('amount')} AS amount, currency, ${microsOf('triggered_at')} AS "triggeredAt",
    ${dateOf('due_date')} AS "dueDate", code
  FROM v402.payment_leg WHERE contract_id = ANY ($1::bytea[])
  ORDER BY payment_leg.contract_id, side, number`;

type Row = {
  contractId: string;
  side: Side;
  legId: string;
  number: number;
  state: PaymentLegState;
  attempt: number;
  trigger: Trigger;
  days: number;
  rail: Rail;
  amount: string;
  currency: string;
  triggeredAt: string | null;
  dueDate: string | null;
  code: string | null;
};

export class PgPaymentLegStore implements PaymentLegStore {
  constructor(private readonly session: Session) {}

  async insert(rows: readonly PaymentLeg[]): Promise<void> {
    await this.session.write(
      INSERT,
      columns(
        rows,
        (row) => bytea(row.contractId),
        (row) => row.side,
        (row) => row.legId,
        (row) => row.number,
        (row) => row.state,
        (row) => row.attempt,
        (row) => row.trigger,
        (row) => row.days,
        (row) => row.rail,
        (row) => row.amount,
        (row) => row.currency,
        (row) => row.triggeredAt ?? null,
        (row) => dueDateOf(row),
        (row) => row.code ?? null,
      ),
    );
  }

  async ofSettlements(ids: readonly ContractId[]): Promise<readonly PaymentLeg[]> {
    const rows = await this.session.query<Row>(OF_SETTLEMENTS, [ids.map(bytea)]);
    return rows.map((row) => ({
      ...row,
      triggeredAt: optionalMicros(row.triggeredAt),
      dueDate: row.dueDate === null ? undefined : dateOfText(row.dueDate),
      code: row.code ?? undefined,
    }));
  }

  async save(rows: readonly PaymentLeg[]): Promise<void> {
    await this.session.writeEach(
      SAVE,
      rows,
      columns(
        rows,
        (row) => bytea(row.contractId),
        (row) => row.side,
        (row) => row.legId,
        (row) => row.state,
        (row) => row.attempt,
        (row) => row.triggeredAt ?? null,
        (row) => dueDateOf(row),
        (row) => row.code ?? null,
      ),
    );
  }
}

const dueDateOf = ({ dueDate }: PaymentLeg): string | null => (dueDate === undefined ? null : dateText(dueDate));
