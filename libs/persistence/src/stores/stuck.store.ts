import { ACCOUNT_MISSING, type StuckRow, type StuckStore, type WorkKind } from '@v402/application';
import type { ContractId, OrderPlacementState, Side } from '@v402/domain';
import type { Session } from '../session.js';
import { bytea, dateOf, dateOfText, hexOf, microsOf, optionalMicros } from '../values.js';

/** SQL: the row has no work, and its deal no open hold that explains it. */
const FORGOTTEN = (kind: WorkKind, subject: string): string => `
  NOT EXISTS (
    SELECT FROM v402.work w
    WHERE w.kind = '${kind}' AND w.contract_id = r.contract_id AND w.side = r.side AND w.subject_id = ${subject}
  ) AND NOT EXISTS (SELECT FROM v402.hold h WHERE h.deal_key = s.deal_key AND h.released_at IS NULL)`;

/** SQL: this side's order exists. */
const ORDERED = `EXISTS (
    SELECT FROM v402.order_placement o
    WHERE o.contract_id = r.contract_id AND o.side = r.side AND o.state = 'created'
  )`;

// Each begins with what a partial index of its table holds: rows that are done are never read. An order that may exist has
// to be cleared up whichever contract is current; everything else goes on under the current one alone.
const ORDERS = `
  SELECT r.contract_id, 'order' AS kind, r.side, '' AS subject_id, r.state, r.look_up_not_before, NULL::date AS not_before
  FROM v402.order_placement r JOIN v402.settlement s USING (contract_id)
  WHERE r.state IN ('waiting', 'placing', 'unknown') AND (s.current OR r.state <> 'waiting') AND ${FORGOTTEN('order', "''")}`;
const LEGS = `
  SELECT r.contract_id, 'payment_leg', r.side, r.leg_id, NULL, NULL::timestamptz, NULL::date
  FROM v402.payment_leg r JOIN v402.settlement s USING (contract_id)
  WHERE (r.state IN ('scheduled', 'blocked') OR (r.state = 'waiting' AND r.trigger IN ('agreed', 'ordered'))) AND s.current
    AND (r.state <> 'blocked' OR r.code = '${ACCOUNT_MISSING}')
    AND (r.state <> 'waiting' OR r.trigger = 'agreed' OR ${ORDERED})
    AND ${FORGOTTEN('payment_leg', 'r.leg_id')}`;
const DELIVERIES = `
  SELECT r.contract_id, 'delivery', r.side, r.delivery_id, NULL, NULL::timestamptz, r.not_before
  FROM v402.delivery r JOIN v402.settlement s USING (contract_id)
  WHERE r.state = 'waiting' AND s.current AND ${ORDERED} AND ${FORGOTTEN('delivery', 'r.delivery_id')}`;

const PARTS = [ORDERS, LEGS, DELIVERIES];

const FIND = `
  SELECT ${hexOf('contract_id')} AS "contractId" FROM (
    ${PARTS.map((part) => `(SELECT contract_id FROM (${part} AND r.contract_id > $1 ORDER BY r.contract_id LIMIT $2) AS p)`).join(' UNION ')}
  ) AS found ORDER BY contract_id LIMIT $2`;

const OF_SETTLEMENTS = `
  SELECT ${hexOf('contract_id')} AS "contractId", kind, side, subject_id AS "subjectId", state,
    ${microsOf('look_up_not_before')} AS "lookUpNotBefore", ${dateOf('not_before')} AS "notBefore"
  FROM (${PARTS.map((part) => `${part} AND r.contract_id = ANY ($1::bytea[])`).join(' UNION ALL ')}) AS rows
  ORDER BY rows.contract_id, kind, side, subject_id`;

/** Before the first: no contractId is empty. */
const BEFORE_ALL = '';

type Row = {
  contractId: string;
  kind: WorkKind;
  side: Side;
  subjectId: string;
  state: OrderPlacementState | null;
  lookUpNotBefore: string | null;
  notBefore: string | null;
};

export class PgStuckStore implements StuckStore {
  constructor(private readonly session: Session) {}

  async find(after: ContractId | undefined, limit: number): Promise<readonly ContractId[]> {
    const rows = await this.session.query<{ contractId: string }>(FIND, [bytea(after ?? BEFORE_ALL), limit]);
    return rows.map(({ contractId }) => contractId);
  }

  async ofSettlements(ids: readonly ContractId[]): Promise<readonly StuckRow[]> {
    const rows = await this.session.query<Row>(OF_SETTLEMENTS, [ids.map(bytea)]);
    return rows.map(({ state, lookUpNotBefore, notBefore, ...key }) => ({
      ...key,
      state: state ?? undefined,
      lookUpNotBefore: optionalMicros(lookUpNotBefore),
      notBefore: notBefore === null ? undefined : dateOfText(notBefore),
    }));
  }
}
