import type { PrismaClient } from '../generated/client.js';

/** How many there are, by what tells them apart. */
export type Counts = Readonly<Record<string, number>>;

/** An overview of everything, taken at one moment. */
export interface Figures {
  readonly settlementsByState: Counts;
  readonly ordersByState: Counts;
  readonly legsByState: Counts;
  readonly deliveriesByState: Counts;
  /** One decision per message, redelivered ones excepted. */
  readonly decisionsByOutcome: Counts;
  /** Different messages; how often they came is `rejectedMessagesByCode`. */
  readonly rejectionsByCode: Counts;
  readonly rejectedMessagesByCode: Counts;
  readonly quarantinedByReason: Counts;
  readonly openHoldsByReason: Counts;
  /** How often an accepted contract came again. */
  readonly duplicates: number;
  readonly unpublishedEvents: number;
  readonly parkedStreams: number;
}

/** A client inside a transaction. */
export type Database = Omit<PrismaClient, '$connect' | '$disconnect' | '$on' | '$transaction' | '$extends'>;

/** Group and count; `orderBy` is what Prisma wants wherever something is left out. */
const byState = { by: 'state', _count: true, orderBy: { state: 'asc' } } as const;
const byReason = { by: 'reason', _count: true, orderBy: { reason: 'asc' } } as const;
const byOutcome = { by: 'outcome', _count: true, orderBy: { outcome: 'asc' } } as const;
const byCode = { by: 'code', _count: true, _sum: { occurrences: true }, orderBy: { code: 'asc' } } as const;

export async function readFigures(database: Database): Promise<Figures> {
  const settlements = await database.settlement.groupBy(byState);
  const orders = await database.orderPlacement.groupBy(byState);
  const legs = await database.paymentLeg.groupBy(byState);
  const deliveries = await database.delivery.groupBy(byState);
  const decisions = await database.decision.groupBy(byOutcome);
  const rejections = await database.rejection.groupBy(byCode);
  const quarantined = await database.quarantine.groupBy(byReason);
  const openHolds = await database.hold.groupBy({ ...byReason, where: { releasedAt: null } });
  const { _sum: repeated } = await database.settlement.aggregate({ _sum: { duplicates: true } });
  return {
    settlementsByState: counts(settlements, (row) => row.state),
    ordersByState: counts(orders, (row) => row.state),
    legsByState: counts(legs, (row) => row.state),
    deliveriesByState: counts(deliveries, (row) => row.state),
    decisionsByOutcome: counts(decisions, (row) => row.outcome),
    rejectionsByCode: counts(rejections, (row) => row.code),
    rejectedMessagesByCode: Object.fromEntries(rejections.map(({ code, _sum }) => [code, _sum.occurrences ?? 0])),
    quarantinedByReason: counts(quarantined, (row) => row.reason),
    openHoldsByReason: counts(openHolds, (row) => row.reason),
    duplicates: repeated.duplicates ?? 0,
    unpublishedEvents: await database.outbox.count(),
    parkedStreams: await database.parkedStream.count(),
  };
}

function counts<Row extends { readonly _count: number }>(rows: readonly Row[], nameOf: (row: Row) => string): Counts {
  return Object.fromEntries(rows.map((row) => [nameOf(row), row._count]));
}
