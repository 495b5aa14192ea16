import {
  deliveryTable,
  orderPlacementTable,
  paymentLegTable,
  TerminalError,
  transition,
  type ContractId,
  type OrderPlacementState,
} from '@v402/domain';
import { contractOf } from '../contract-of.js';
import { orderKindOf } from '../ports/order-system.js';
import type { OrderPlacement } from '../ports/progress-store.js';
import type { SettlementRecord } from '../ports/settlement-store.js';
import type { Transaction } from '../ports/unit-of-work.js';
import { adoptEarlier, type Adoption } from './amendment-adoption.js';
import type { ChainMember } from './chain-member.js';
import { OperationRefused } from './operation-refused.js';
import type { Changes, LockedCase, Prepared } from './resolution.js';
import { releaseHold, tellOf } from './settlement-events.js';

type AcceptedMember = ChainMember & { readonly settlement: SettlementRecord };

interface Chain {
  readonly amendment: AcceptedMember;
  readonly earlier: readonly AcceptedMember[];
}

/**
 * The amendment stands: it takes over the orders that exist, counts what was asked for as asked for, and starts the rest.
 * What its predecessors have not started ends.
 * @param orderChanged the operator says that the orders in the order system now say what the amendment says
 */
export async function releaseAmendment(locked: LockedCase, orderChanged: boolean): Promise<Prepared> {
  const chain = await readChain(locked);
  requireCurrent(chain);
  requireDecided(chain.earlier.flatMap(({ orders }) => orders));
  const adoption = adoptEarlier(chain.amendment, chain.earlier, locked.deliveryLead);
  if (adoption.orders.length > 0 && !orderChanged) {
    throw new OperationRefused(
      'order_change_unconfirmed',
      'Orders of the earlier contract exist. Change them in the order system to what the amendment says, then release with --order-changed.',
      { orders: adoption.orders.map(({ side, orderNumber }) => `${side} ${orderNumber ?? ''}`).join(', ') },
    );
  }
  return { letsGoOn: true, perform: () => takePlace(locked, chain, adoption) };
}

async function takePlace(locked: LockedCase, chain: Chain, adoption: Adoption): Promise<Changes> {
  const { tx, naming, one, actor } = locked;
  const replaced = await predecessors(tx, chain);
  const earlierIds = chain.earlier.map(({ settlement }) => settlement.contractId);
  await tx.work.dropOfSettlements(earlierIds);
  await endRemaining(tx, chain.earlier);
  await tx.orders.adopt(adoption.orders);
  await tx.legs.save(adoption.legs);
  await tx.deliveries.save(adoption.deliveries);
  await tx.work.add(adoption.work);
  const { contractId } = chain.amendment.settlement;
  await tellOfChange(locked, chain, adoption);
  for (const id of replaced) await tellSuperseded(locked, id, contractId);
  await releaseHold(tx, naming, one, 'release', actor);
  await tx.cases.resolve(one, 'release', actor);
  await tx.settlements.deriveStates([contractId, ...earlierIds]);
  return { ...summaryOf(adoption), ...leftOver(chain) };
}

/**
 * The amendment is void, and what came before it goes on. One whose place a released amendment has taken is over already:
 * only its hold is left, and nothing before it may be alive any more.
 */
export async function rejectAmendment(locked: LockedCase): Promise<Prepared> {
  const { tx, naming, one, actor } = locked;
  const chain = await readChain(locked);
  const { contractId, state } = chain.amendment.settlement;
  const perform = async (): Promise<Changes> => {
    const changes = state === 'superseded' ? {} : await annul(locked, chain);
    await releaseHold(tx, naming, one, 'reject', actor);
    await tx.cases.resolve(one, 'reject', actor);
    return { voidContract: contractId, ...changes };
  };
  return { letsGoOn: true, perform };
}

async function annul(locked: LockedCase, { amendment, earlier }: Chain): Promise<Changes> {
  const { tx } = locked;
  const { contractId, current } = amendment.settlement;
  const heir = heirOf(amendment, earlier).settlement.contractId;
  if (current) {
    await tx.settlements.retire([contractId]);
    await tx.settlements.makeCurrent(heir);
  }
  await endRemaining(tx, [amendment]);
  await tx.settlements.deriveStates([contractId]);
  await tellSuperseded(locked, contractId, heir);
  return current ? { currentContract: heir } : {};
}

async function readChain({ tx, one, settlements }: LockedCase): Promise<Chain> {
  const ids = settlements.map(({ contractId }) => contractId);
  const records = await tx.settlements.lock(ids);
  const orders = Map.groupBy(await tx.orders.ofSettlements(ids), (row) => row.contractId);
  const legs = Map.groupBy(await tx.legs.ofSettlements(ids), (row) => row.contractId);
  const deliveries = Map.groupBy(await tx.deliveries.ofSettlements(ids), (row) => row.contractId);
  const members = records.map((settlement) => ({
    settlement,
    contract: contractOf(settlement),
    orders: orders.get(settlement.contractId) ?? [],
    legs: legs.get(settlement.contractId) ?? [],
    deliveries: deliveries.get(settlement.contractId) ?? [],
  }));
  const amendment = members.find(({ settlement }) => settlement.contractId === one.contractId);
  if (amendment === undefined) throw new TerminalError('amendment_missing', 'The hold names an accepted amendment.');
  return { amendment, earlier: members.filter((member) => member !== amendment) };
}

function requireCurrent({ amendment }: Chain): void {
  if (amendment.settlement.current) return;
  throw new OperationRefused(
    'not_current',
    'A later amendment has taken this one’s place: decide that one, and reject this.',
  );
}

const UNDECIDED: readonly OrderPlacementState[] = ['placing', 'unknown', 'unresolved', 'mismatched'];

/** As long as an order of the chain may or may not exist, nobody can say what the amendment takes over. */
function requireDecided(orders: readonly OrderPlacement[]): void {
  const open = orders.find(({ state }) => UNDECIDED.includes(state));
  if (open === undefined) return;
  throw new OperationRefused(
    'order_undecided',
    `The ${open.side}’s order of the earlier contract is ${open.state}: redrive it, or wait, until it is clear whether it exists.`,
    { contractId: open.contractId, side: open.side, state: open.state },
  );
}

/**
 * The contracts that the amendment replaces, the nearest first: as long as one of them was never released itself, the one
 * before it too. Those that were rejected before are left out: they have been told.
 */
async function predecessors(tx: Transaction, { amendment, earlier }: Chain): Promise<readonly ContractId[]> {
  const cases = await tx.cases.list({ reason: 'amendment_after_start' });
  const undecided = new Set(cases.map(({ contractId }) => contractId));
  let base = heirOf(amendment, earlier);
  const replaced = [base.settlement.contractId];
  while (undecided.has(base.settlement.contractId)) {
    base = heirOf(base, earlier);
    replaced.push(base.settlement.contractId);
  }
  return replaced;
}

/** The nearest contract before the amendment that was not replaced or voided itself. */
function heirOf({ contract }: AcceptedMember, earlier: Chain['earlier']): AcceptedMember {
  let id = contract.supersedes;
  for (;;) {
    const base = earlier.find(({ settlement }) => settlement.contractId === id);
    if (base === undefined) throw new TerminalError('base_missing', 'An amendment follows an accepted contract.');
    if (base.settlement.state !== 'superseded') return base;
    id = base.contract.supersedes;
  }
}

/** What has not passed its point of no return ends here; the rest stays what it is: facts. */
async function endRemaining(tx: Transaction, members: readonly ChainMember[]): Promise<void> {
  const orders = members
    .flatMap((each) => each.orders)
    .filter(({ state }) => state === 'waiting' || state === 'rejected');
  const legs = members
    .flatMap((each) => each.legs)
    .filter(({ state }) => state === 'waiting' || state === 'scheduled' || state === 'blocked');
  const deliveries = members
    .flatMap((each) => each.deliveries)
    .filter(({ state }) => state === 'waiting' || state === 'blocked');
  await tx.orders.save(
    orders.map((row) => ({ ...row, state: transition(orderPlacementTable, row.state, 'supersede') })),
  );
  await tx.legs.save(legs.map((row) => ({ ...row, state: transition(paymentLegTable, row.state, 'supersede') })));
  await tx.deliveries.save(
    deliveries.map((row) => ({ ...row, state: transition(deliveryTable, row.state, 'supersede') })),
  );
}

async function tellOfChange({ tx, naming }: LockedCase, { amendment }: Chain, { orders }: Adoption): Promise<void> {
  const { contractId, orderReference } = amendment.settlement;
  await tellOf(tx, naming, contractId, ({ stream, members }) => {
    const causedBy = stream.idOf('org.v402.settlement.accepted.v1', { subjectId: contractId, n: 1 });
    for (const { side, orderSystem, orderNumber, orderUrl, adoptedFrom } of orders) {
      if (orderSystem === undefined || orderNumber === undefined || adoptedFrom === undefined) continue;
      const kind = orderKindOf(side);
      stream.append(
        'org.v402.order.changed.v1',
        { side, subjectId: kind, n: 1, causedBy },
        {
          ...members,
          side,
          orderSystem,
          kind,
          reference: orderReference,
          orderNumber,
          ...(orderUrl !== undefined && { url: orderUrl }),
          placedFor: adoptedFrom,
        },
      );
    }
  });
}

async function tellSuperseded({ tx, naming }: LockedCase, id: ContractId, supersededBy: ContractId): Promise<void> {
  await tellOf(tx, naming, id, ({ stream, members }) => {
    stream.append('org.v402.settlement.superseded.v1', { subjectId: id, n: 1 }, { ...members, supersededBy });
  });
}

/** Asked for, and not in the amendment any more: nobody but a person can call it off. */
function leftOver({ amendment, earlier }: Chain): Changes {
  const agreed = new Set(obligationsOf(amendment).map(({ what }) => what));
  const asked = earlier.flatMap(obligationsOf).filter(({ state, what }) => state === 'requested' && !agreed.has(what));
  const names = new Set(asked.map(({ what }) => what));
  return names.size === 0 ? {} : { noLongerAgreed: [...names].join(', ') };
}

const obligationsOf = ({
  legs,
  deliveries,
}: Pick<ChainMember, 'legs' | 'deliveries'>): readonly { what: string; state: string; code: string | undefined }[] => [
  ...legs.map(({ side, legId, state, code }) => ({ what: `${side} leg ${legId}`, state, code })),
  ...deliveries.map(({ side, deliveryId, state, code }) => ({ what: `${side} delivery ${deliveryId}`, state, code })),
];

function summaryOf({ orders, work, ...obligations }: Adoption): Changes {
  const rows = obligationsOf(obligations);
  const listed = (state: string): string =>
    rows
      .filter((row) => row.state === state)
      .map(({ what, code }) => (code === undefined ? what : `${what} (${code})`))
      .join(', ');
  const changes = {
    adoptedOrders: orders.map(({ side, orderNumber }) => `${side} ${orderNumber ?? ''}`).join(', '),
    askedForBefore: listed('requested'),
    blocked: listed('blocked'),
    started: work.map(({ kind, side, subjectId }) => [side, kind, subjectId].join(' ').trim()).join(', '),
  };
  return Object.fromEntries(Object.entries(changes).filter(([, text]) => text !== ''));
}
