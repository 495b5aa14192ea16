import type { Backlog, BacklogStore, BlockedKind, StandingFigures, WorkKind } from '@v402/application';
import { TerminalError } from '@v402/domain';
import type { Session } from '../session.js';
import { microsOf } from '../values.js';

/** SQL: an event of the outbox `o` that a relay may publish. */
const NOT_PARKED = 'NOT EXISTS (SELECT FROM v402.parked_stream p WHERE p.stream = o.stream)';

// Work that a hold stops begins its attempts anew whenever it is put off, so an order that failed and waits for its next
// attempt is told from one that is held.
const SIZE = `
  SELECT
    (SELECT count(*)::int FROM (
      SELECT FROM v402.work WHERE kind = 'order' AND (due_at <= statement_timestamp() OR attempts > 0) LIMIT $1
    ) AS orders) + (SELECT count(*)::int FROM (
      SELECT FROM v402.work WHERE kind IN ('payment_leg', 'delivery') AND due_at <= statement_timestamp() LIMIT $1
    ) AS releases) AS work,
    (SELECT count(*)::int FROM (SELECT FROM v402.outbox o WHERE ${NOT_PARKED} LIMIT $1) AS events) AS events`;

const COUNTED_UP_TO = 100_000;

/** SQL: milliseconds since a moment. */
const ageMs = (moment: string): string =>
  `coalesce(extract(epoch FROM clock_timestamp() - ${moment}) * 1000, 0)::float8`;

const WORK = `
  SELECT kind, count(*)::int AS due, ${ageMs('min(due_at)')} AS "oldestMs"
  FROM unnest(ARRAY['order', 'payment_leg', 'delivery']) AS k (kind), LATERAL (
    SELECT due_at FROM v402.work w
    WHERE w.kind = k.kind AND due_at <= statement_timestamp()
      AND (lease_until IS NULL OR lease_until <= statement_timestamp())
    ORDER BY due_at LIMIT ${COUNTED_UP_TO}
  ) AS due GROUP BY kind`;

const EVENTS = `
  SELECT
    (SELECT count(*)::int FROM (SELECT FROM v402.outbox o WHERE ${NOT_PARKED} LIMIT ${COUNTED_UP_TO}) AS n) AS waiting,
    ${ageMs(`(
      SELECT e.occurred_at FROM v402.outbox o JOIN v402.event e ON e.id = o.event_id
      WHERE ${NOT_PARKED} ORDER BY o.id LIMIT 1)`)} AS "oldestMs",
    (SELECT count(*)::int FROM v402.parked_stream) AS parked,
    (SELECT count(*)::int FROM v402.relay_shard s
      WHERE (lease_until IS NULL OR lease_until <= clock_timestamp())
        AND EXISTS (SELECT FROM v402.outbox o WHERE o.shard = s.shard AND ${NOT_PARKED})) AS unowned`;

const UNKNOWN_ORDERS = `
  SELECT count(*)::int AS open, ${ageMs('min(look_up_not_before)')} AS "oldestMs" FROM v402.order_placement
  WHERE state = 'unknown' AND look_up_not_before <= statement_timestamp()`;

const BLOCKED = (['payment_leg', 'delivery'] as const satisfies readonly BlockedKind[])
  .map(
    (table) => `
  SELECT '${table}' AS kind, r.code, count(*)::int AS open
  FROM v402.${table} r JOIN v402.settlement s USING (contract_id)
  WHERE r.state = 'blocked' AND s.current GROUP BY r.code`,
  )
  .join(' UNION ALL ');

/** The open cases of `PgCaseStore.list`: entries in quarantine, holds that have none, and those that are open again. */
const QUARANTINE = `
  SELECT reason, count(*)::int AS open, ${ageMs('min(since)')} AS "oldestMs", ${microsOf('max(since)')} AS "newestAt" FROM (
    SELECT reason, quarantined_at AS since FROM v402.quarantine WHERE resolution IS NULL
    UNION ALL
    SELECT reason, placed_at FROM v402.hold h
    WHERE released_at IS NULL AND resolution IS NULL
      AND NOT EXISTS (SELECT FROM v402.quarantine q WHERE q.hold_id = h.id)
    UNION ALL
    SELECT h.reason, h.placed_at FROM v402.hold h LEFT JOIN v402.quarantine q ON q.hold_id = h.id
    JOIN v402.order_placement p ON p.contract_id = h.contract_id AND p.side = h.evidence->>'side'
    WHERE h.released_at IS NULL AND p.state = 'superseded' AND coalesce(q.resolution, h.resolution) = 'reject'
  ) AS cases GROUP BY reason`;

const HOLDS = `SELECT reason, count(*)::int AS open FROM v402.hold WHERE released_at IS NULL GROUP BY reason`;

const RECONCILIATION = `
  SELECT
    coalesce((SELECT by_code FROM v402.reconciliation ORDER BY finished_at DESC LIMIT 1), '{}') AS "byCode",
    (SELECT extract(epoch FROM clock_timestamp() - max(window_to))::float8 * 1000 FROM v402.reconciliation
      WHERE outcome = 'agrees') AS "agreedAgeMs"`;

const NO_WORK = { due: 0, oldestMs: 0 };

type WorkRow = { kind: WorkKind; due: number; oldestMs: number };
type EventsRow = { waiting: number; oldestMs: number; parked: number; unowned: number };
type BlockedRow = { kind: BlockedKind; code: string; open: number };
type ReconciliationRow = { byCode: Record<string, number>; agreedAgeMs: number | null };
type ReasonRow = { reason: string; open: number };
type CasesRow = ReasonRow & { oldestMs: number; newestAt: string };

export class PgBacklogStore implements BacklogStore {
  constructor(private readonly session: Session) {}

  async size(limit: number): Promise<Backlog> {
    return one(await this.session.query<{ work: number; events: number }>(SIZE, [limit + 1]));
  }

  async figures(): Promise<StandingFigures> {
    const work = new Map((await this.session.query<WorkRow>(WORK)).map(({ kind, ...row }) => [kind, row]));
    const events = one(await this.session.query<EventsRow>(EVENTS));
    const unknownOrders = one(await this.session.query<{ open: number; oldestMs: number }>(UNKNOWN_ORDERS));
    const blocked = await this.session.query<BlockedRow>(BLOCKED);
    const quarantine = await this.session.query<CasesRow>(QUARANTINE);
    const holds = await this.session.query<ReasonRow>(HOLDS);
    const reconciliation = one(await this.session.query<ReconciliationRow>(RECONCILIATION));
    return {
      work: {
        order: work.get('order') ?? NO_WORK,
        payment_leg: work.get('payment_leg') ?? NO_WORK,
        delivery: work.get('delivery') ?? NO_WORK,
      },
      events: { waiting: events.waiting, oldestMs: events.oldestMs },
      parkedStreams: events.parked,
      unownedShards: events.unowned,
      unknownOrders,
      blocked,
      quarantine: new Map(
        quarantine.map(({ reason, newestAt, ...row }) => [reason, { ...row, newestAt: BigInt(newestAt) }]),
      ),
      holds: new Map(holds.map(({ reason, open }) => [reason, open])),
      reconciliation: {
        differences: new Map(Object.entries(reconciliation.byCode)),
        agreedAgeMs: reconciliation.agreedAgeMs ?? undefined,
      },
    };
  }
}

function one<Row>([row]: readonly Row[]): Row {
  if (row === undefined) throw new TerminalError('row_missing', 'The database did not tell its figures.');
  return row;
}
