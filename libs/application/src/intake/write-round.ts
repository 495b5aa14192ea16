import {
  deliveryTable,
  orderPlacementTable,
  paymentLegTable,
  transition,
  type ContractId,
  type RefusalCode,
} from '@v402/domain';
import { writeStreams } from '../events/write-streams.js';
import { rejectionKey } from '../ports/evidence-store.js';
import type { NewSettlement } from '../ports/settlement-store.js';
import type { Transaction } from '../ports/unit-of-work.js';
import type { IntakeReport } from './accept-contracts.handler.js';
import { rejectedEvent } from './intake-events.js';
import { decisionOf } from './decision-record.js';
import type { IntakeContext } from './intake-context.js';
import type { IntakeRound } from './intake-round.js';

/** Writes everything that a round has decided, in bulk. */
export async function writeRound(tx: Transaction, context: IntakeContext, round: IntakeRound): Promise<IntakeReport> {
  await tx.evidence.keepRaw([...round.raws.values()]);
  await supersede(tx, round.replaced);
  await tx.settlements.retire(round.retired);
  await insertSettlements(tx, round);
  await tx.deals.placeHolds(round.holds);
  await tx.evidence.quarantine(round.quarantines);
  await tx.evidence.recordDecisions(round.decisions);
  await writeRejections(tx, context, round);
  await tx.settlements.countDuplicates(round.duplicates);
  await tx.evidence.countQuarantined(round.quarantineRepeats);
  // The positions of new settlements were inserted with them; storing them again changes nothing.
  await writeStreams(tx, round.streams, round.looseEvents);
  const refusals = refusalsOf(round);
  return {
    accepted: round.drafts.length,
    duplicates: sum(round.duplicates.values()),
    rejected: sum(refusals.values()),
    quarantined: round.quarantines.length + sum(round.quarantineRepeats.values()),
    undecidable: 0,
    refusals,
  };
}

/** Nothing of these has passed its point of no return, and under their locks nothing can: all their rows end here. */
async function supersede(tx: Transaction, ids: readonly ContractId[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.work.dropOfSettlements(ids);
  const orders = await tx.orders.ofSettlements(ids);
  await tx.orders.save(
    orders.map((row) => ({ ...row, state: transition(orderPlacementTable, row.state, 'supersede') })),
  );
  const legs = await tx.legs.ofSettlements(ids);
  await tx.legs.save(legs.map((row) => ({ ...row, state: transition(paymentLegTable, row.state, 'supersede') })));
  const deliveries = await tx.deliveries.ofSettlements(ids);
  await tx.deliveries.save(
    deliveries.map((row) => ({ ...row, state: transition(deliveryTable, row.state, 'supersede') })),
  );
}

async function insertSettlements(tx: Transaction, round: IntakeRound): Promise<void> {
  const { drafts, rows, streams, retired, replaced } = round;
  const settlements = drafts.flatMap((draft): NewSettlement[] => {
    const position = streams.get(draft.contractId)?.position;
    return position === undefined ? [] : [{ ...draft, current: true, position }];
  });
  await tx.settlements.insert(settlements);
  await tx.orders.insert(rows.map(({ order }) => order));
  await tx.legs.insert(rows.flatMap(({ legs }) => legs));
  await tx.deliveries.insert(rows.flatMap(({ deliveries }) => deliveries));
  await tx.work.add(rows.flatMap(({ work }) => work));
  await tx.settlements.deriveStates([...retired, ...replaced]);
}

/** Only a refusal that is new has a decision, kept bytes and an event; one that came before is counted. */
async function writeRejections(tx: Transaction, context: IntakeContext, round: IntakeRound): Promise<void> {
  const rejections = [...round.rejections.values()];
  const fresh = await tx.evidence.recordRejections(rejections);
  const news = rejections.filter((rejection) => fresh.has(rejectionKey(rejection)));
  await tx.evidence.recordDecisions(
    news.map(({ examined, code, contractId }) =>
      decisionOf(context, examined, { outcome: 'rejected', code, contractId, keys: [] }),
    ),
  );
  await tx.events.append(
    news.map((rejection) => rejectedEvent(context.naming, rejection.examined, rejection, round.now)),
  );
}

function refusalsOf({ rejections }: IntakeRound): ReadonlyMap<RefusalCode, number> {
  const refusals = new Map<RefusalCode, number>();
  for (const { code, occurrences } of rejections.values()) refusals.set(code, (refusals.get(code) ?? 0) + occurrences);
  return refusals;
}

function sum(counts: Iterable<number>): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
