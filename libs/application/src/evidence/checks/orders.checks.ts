import { shortRefOf } from '@v402/contract';
import { compareDecimals, compareInstants, settlementState } from '@v402/domain';
import { orderDifferences } from '../../orders/compare-order.js';
import { orderKindOf } from '../../ports/order-system.js';
import type { EvidenceFile } from '../evidence-file.js';
import { resolutionBy } from './audit.check.js';
import { ofSettlement, type Books } from './books.js';
import {
  compareMembers,
  eventsOf,
  same,
  type AnnouncedEvent,
  type EvidenceCheck,
  type Fail,
  type OpenedEvidence,
} from './evidence-check.js';

export const chainCheck: EvidenceCheck = {
  code: 'chain',
  proves:
    'The accepted contracts of the deal follow each other: `supersedes` names an earlier one, and one alone is current.',
  run: ({ file, identified }, fail) => {
    const { chain, settlement } = file;
    chain.forEach(({ contractId, shortRef, supersedes, acceptedAt }, index) => {
      const where = `/chain/${index}`;
      if (shortRefOf(contractId) !== shortRef) fail(`${where}/shortRef`, 'does not follow from the contractId');
      const isKnown = chain.slice(0, index).some((link) => link.contractId === supersedes);
      if (supersedes !== null && !isKnown) fail(`${where}/supersedes`, 'names none before it');
      const before = chain[index - 1]?.acceptedAt;
      if (before !== undefined && compareInstants(before, acceptedAt) > 0) fail(`${where}/acceptedAt`, 'goes back');
    });
    const areCurrent = chain.filter(({ current }) => current).length;
    if (chain.length > 0 && areCurrent !== 1) fail('/chain', 'has one current contract');
    if (settlement === null || identified === undefined) return chain.length > 0;
    const link = chain.find(({ contractId }) => contractId === identified.contractId);
    if (link === undefined) {
      fail('/chain', 'lacks the contract itself');
      return true;
    }
    const { current, acceptedAt } = link;
    const supersedes = identified.envelope.contract.supersedes ?? null;
    if (link.supersedes !== supersedes) fail('/chain', 'names another base than the contract');
    const orderReference = shortRefOf(rootOf(chain, link));
    const wanted = { current, acceptedAt, supersedes, orderReference };
    compareMembers(settlement, wanted, '/settlement', 'the chain', fail);
    return true;
  },
};

/** The first contract that a contract goes back to: its reference stays that of the order. */
function rootOf(chain: EvidenceFile['chain'], link: EvidenceFile['chain'][number]): string {
  const base = chain.slice(0, chain.indexOf(link)).find(({ contractId }) => contractId === link.supersedes);
  return base === undefined ? link.contractId : rootOf(chain, base);
}

export const settlementCheck: EvidenceCheck = {
  code: 'settlement',
  proves: 'The state, the total and the moment of acceptance follow from the contract, its orders, legs and events.',
  run: ofSettlement(({ opened, file, settlement, contract }, fail) => {
    const statesOf = <S>(rows: readonly { readonly state: S }[]): S[] => rows.map(({ state }) => state);
    const { orders, legs, deliveries } = file;
    const facts = { orders: statesOf(orders), legs: statesOf(legs), deliveries: statesOf(deliveries) };
    if (settlement.state !== settlementState(facts)) fail('/settlement/state', 'does not follow from the rows');
    const { currency, total } = contract.terms;
    if (settlement.currency !== currency) fail('/settlement/currency', 'differs from the contract');
    if (compareDecimals(settlement.total, total) !== 0) fail('/settlement/total', 'differs from the contract');
    const accepted = opened.events.find((event) => event?.type === 'org.v402.settlement.accepted.v1');
    if (accepted === undefined || compareInstants(accepted.time, settlement.acceptedAt) !== 0) {
      fail('/settlement/acceptedAt', 'differs from settlement.accepted');
    }
    checkSuperseded(opened, { settlement, chain: file.chain }, facts, fail);
    const [served] = eventsOf(opened, 'org.v402.settlement.accepted.v1');
    const sides = orders.map(({ side }) => side);
    if (served !== undefined && !same([...sides].sort(), [...(served.data['sides'] as string[])].sort())) {
      fail('/orders', 'are not of the sides that were announced');
    }
    return true;
  }),
};

/** Whatever of it has not started ends where another contract takes its place, and that is announced once. */
function checkSuperseded(
  opened: OpenedEvidence,
  { settlement: { state, supersededBy, current }, chain }: Pick<Books, 'settlement'> & Pick<EvidenceFile, 'chain'>,
  facts: Readonly<Record<string, readonly string[]>>,
  fail: Fail,
): void {
  const announced = eventsOf(opened, 'org.v402.settlement.superseded.v1');
  const [event] = announced;
  if (announced.length > 1) fail('/events', 'announce twice that it was superseded');
  const named: unknown = event?.data['supersededBy'] ?? null;
  if (named !== supersededBy) fail('/settlement/supersededBy', 'differs from settlement.superseded');
  if (state === 'superseded' && event === undefined) fail('/settlement/state', 'was not announced');
  const isOfDeal = supersededBy === null || chain.some(({ contractId }) => contractId === supersededBy);
  if (!isOfDeal) fail('/settlement/supersededBy', 'is no contract of the deal');
  if (event !== undefined && current) fail('/settlement/current', 'another contract has taken its place');
  const isOver = (each: string): boolean => each === 'superseded' || BEGUN.has(each);
  for (const [name, states] of Object.entries(facts)) {
    if (event === undefined && states.includes('superseded')) fail(`/${name}`, 'end only where that was announced');
    if (event !== undefined && !states.every(isOver)) fail(`/${name}`, 'have begun, or have ended');
  }
}

/** What has passed its point of no return stays what it is. */
const BEGUN: ReadonlySet<string> = new Set(['placing', 'created', 'unknown', 'unresolved', 'mismatched', 'requested']);

export const ordersCheck: EvidenceCheck = {
  code: 'orders',
  proves: 'Every order that is recorded was announced once, with the same number, at the same moment.',
  run: ofSettlement((books, fail) => {
    books.file.orders.forEach((row, index) => {
      checkOrder(books, row, `/orders/${index}`, fail);
    });
    return books.file.orders.length > 0;
  }),
};

function checkOrder(books: Books, row: EvidenceFile['orders'][number], where: string, fail: Fail): void {
  const { opened } = books;
  const { side, state, code, attempt, orderNumber, orderSystem, orderUrl, orderedAt, adoptedFrom, redrives } = row;
  const created = eventsOf(opened, 'org.v402.order.created.v1', { side });
  const changed = eventsOf(opened, 'org.v402.order.changed.v1', { side });
  const announced = [...created, ...changed];
  if ((state === 'created') !== (announced.length === 1)) {
    fail(`${where}/state`, 'is created where that was announced once');
  }
  const rejected = eventsOf(opened, 'org.v402.order.rejected.v1', { side });
  if (state === 'rejected' && rejected.at(-1)?.data['code'] !== code) fail(`${where}/code`, 'was not announced');
  const redriven = books.file.audit.filter(
    (entry) =>
      resolutionBy(entry) === 'redrive' && entry.contractId === books.contractId && entry.details['side'] === side,
  );
  if (redrives !== redriven.length) fail(`${where}/redrives`, 'is not as often as the audit trail says');
  const lost = eventsOf(opened, 'org.v402.order.outcome_unknown.v1', { side });
  if (row.unknowns !== lost.length) fail(`${where}/unknowns`, 'is not as often as it was announced');
  const [event] = announced;
  if (event !== undefined) {
    checkCreated(books, row, event, where, fail);
    return;
  }
  const last = lost.at(-1)?.data;
  if (state === 'unknown' && redrives === 0 && last !== undefined) {
    const wanted = { code: last['code'], attempt: last['attempt'] };
    compareMembers({ code, attempt: Math.max(1, attempt) }, wanted, where, 'order.outcome_unknown', fail);
  }
  for (const [name, value] of Object.entries({ orderSystem, orderNumber, orderUrl, orderedAt, adoptedFrom })) {
    if (value !== null) fail(`${where}/${name}`, 'there is no order yet');
  }
}

/** An order that exists: created for this contract, or taken over from an earlier one of the deal. */
function checkCreated(
  { settlement, file }: Books,
  row: EvidenceFile['orders'][number],
  { data, time, type }: AnnouncedEvent,
  where: string,
  fail: Fail,
): void {
  const { side, orderSystem, orderNumber, orderUrl, orderedAt, adoptedFrom } = row;
  const { url = null } = data;
  const wanted = { orderSystem: data['orderSystem'], orderNumber: data['orderNumber'], orderUrl: url };
  compareMembers({ orderSystem, orderNumber, orderUrl }, wanted, where, 'its event', fail);
  compareMembers(data, { kind: orderKindOf(side), reference: settlement.orderReference }, '/events', 'the order', fail);
  if (type === 'org.v402.order.changed.v1') {
    if (data['placedFor'] !== adoptedFrom) fail(`${where}/adoptedFrom`, 'differs from order.changed');
    const isOfDeal = file.chain.some(({ contractId }) => contractId === adoptedFrom);
    if (!isOfDeal) fail(`${where}/adoptedFrom`, 'is not of the deal');
    if (orderedAt === null || compareInstants(orderedAt, time) > 0) {
      fail(`${where}/orderedAt`, 'lies after order.changed');
    }
    return;
  }
  if (adoptedFrom !== null) fail(`${where}/adoptedFrom`, 'the order was created for this contract');
  const reached = { attempt: Math.max(1, row.attempt), code: row.code };
  compareMembers(reached, { attempt: data['attempt'], code: null }, where, 'order.created', fail);
  if (orderedAt === null || compareInstants(orderedAt, time) !== 0) {
    fail(`${where}/orderedAt`, 'differs from order.created');
  }
}

export const orderSystemCheck: EvidenceCheck = {
  code: 'order_system',
  proves:
    'The order system itself, asked when the file was made, has the orders as they were agreed: same lines, same total.',
  run: ofSettlement(({ file, settlement, contract, contractId }, fail) => {
    const { orderSystem, orders } = file;
    // Orders of a contract whose place another one has taken may say by now what that one says.
    if (orderSystem === null || settlement.supersededBy !== null) return false;
    const asked = orderSystem.orders.map(({ side }) => side);
    const placed = orders.filter(({ state }) => state !== 'waiting' && state !== 'superseded').map(({ side }) => side);
    if (!same([...asked].sort(), placed.sort())) fail('/orderSystem/orders', 'are not of the sides that were ordered');
    orderSystem.orders.forEach(({ side, order }, index) => {
      const where = `/orderSystem/orders/${index}/order`;
      const row = orders.find((each) => each.side === side);
      const isCreated = row?.state === 'created';
      if (isCreated && row.orderSystem !== orderSystem.name)
        fail('/orderSystem/name', 'is not where the order was made');
      if (order === null) {
        if (isCreated) fail(where, 'the order system has no order for one that is recorded as created');
        return;
      }
      const draft = { kind: orderKindOf(side), reference: settlement.orderReference, contractId, contract };
      // An order that is not recorded as created may be anybody's: that is why it is not.
      if (!isCreated) return;
      const { url, ...rest } = order;
      const found = { ...rest, ...(url !== undefined && { url }) };
      // The order system may still name the contract that the order was created for.
      const asked = row.adoptedFrom === order.contractId ? { ...draft, contractId: order.contractId } : draft;
      for (const at of orderDifferences(asked, found)) fail(where, `differs from the contract at ${at}`);
      compareMembers(order, { kind: draft.kind, reference: draft.reference }, where, 'what was asked for', fail);
      if (order.orderNumber !== row.orderNumber) fail(`${where}/orderNumber`, 'differs from the record');
      if ((url ?? null) !== row.orderUrl) fail(`${where}/url`, 'differs from the record');
    });
    return orderSystem.orders.some(({ order }) => order !== null);
  }),
};
