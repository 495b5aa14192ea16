import { shortRefOf } from '@v402/contract';
import { compareDecimals, compareInstants, settlementState } from '@v402/domain';
import { orderDifferences } from '../../orders/compare-order.js';
import { orderKindOf } from '../../ports/order-system.js';
import type { EvidenceFile } from '../evidence-file.js';
import { ofSettlement, type Books } from './books.js';
import {
  compareMembers,
  eventsOf,
  same,
  type EvidenceCheck,
  type Fail,
  type OpenedEvidence,
} from './evidence-check.js';

export const chainCheck: EvidenceCheck = {
  code: 'chain',
  proves: 'The accepted contracts of the deal follow each other by `supersedes`, and one alone is current.',
  run: ({ file, identified }, fail) => {
    const { chain, settlement } = file;
    chain.forEach(({ contractId, shortRef, supersedes, current, acceptedAt }, index) => {
      const where = `/chain/${index}`;
      if (shortRefOf(contractId) !== shortRef) fail(`${where}/shortRef`, 'does not follow from the contractId');
      if (supersedes !== (chain[index - 1]?.contractId ?? null)) fail(`${where}/supersedes`, 'is not the one before');
      if (current !== (index === chain.length - 1)) fail(`${where}/current`, 'only the last one is');
      const before = chain[index - 1]?.acceptedAt;
      if (before !== undefined && compareInstants(before, acceptedAt) > 0) fail(`${where}/acceptedAt`, 'goes back');
    });
    if (settlement === null || identified === undefined) return chain.length > 0;
    const place = chain.findIndex(({ contractId }) => contractId === identified.contractId);
    const link = chain[place];
    if (link === undefined) {
      fail('/chain', 'lacks the contract itself');
      return true;
    }
    const { current, acceptedAt } = link;
    const supersededBy = chain[place + 1]?.contractId ?? null;
    const supersedes = identified.envelope.contract.supersedes ?? null;
    const orderReference = chain[0]?.shortRef;
    compareMembers(
      settlement,
      { current, acceptedAt, supersedes, supersededBy, orderReference },
      '/settlement',
      'the chain',
      fail,
    );
    return true;
  },
};

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
    checkSuperseded(opened, settlement, facts, fail);
    const [served] = eventsOf(opened, 'org.v402.settlement.accepted.v1');
    const sides = orders.map(({ side }) => side);
    if (served !== undefined && !same([...sides].sort(), [...(served.data['sides'] as string[])].sort())) {
      fail('/orders', 'are not of the sides that were announced');
    }
    return true;
  }),
};

/** What was replaced before it started ends whole, and was announced. */
function checkSuperseded(
  opened: OpenedEvidence,
  { state, supersededBy }: Books['settlement'],
  facts: Readonly<Record<string, readonly string[]>>,
  fail: Fail,
): void {
  const announced = eventsOf(opened, 'org.v402.settlement.superseded.v1');
  const isSuperseded = state === 'superseded';
  if (announced.length !== (isSuperseded ? 1 : 0))
    fail('/settlement/state', 'is superseded where that was announced once');
  for (const { data } of announced) {
    if (data['supersededBy'] !== supersededBy) fail('/settlement/supersededBy', 'differs from settlement.superseded');
  }
  for (const [name, states] of Object.entries(facts)) {
    if (states.some((each) => (each === 'superseded') !== isSuperseded)) fail(`/${name}`, 'are superseded all or none');
  }
}

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

function checkOrder(
  { opened, settlement }: Books,
  row: EvidenceFile['orders'][number],
  where: string,
  fail: Fail,
): void {
  const { side, state, orderSystem, orderNumber, orderUrl, orderedAt } = row;
  const kind = orderKindOf(side);
  const created = eventsOf(opened, 'org.v402.order.created.v1', { side });
  if ((state === 'created') !== (created.length === 1))
    fail(`${where}/state`, 'is created where that was announced once');
  const isRejected = eventsOf(opened, 'org.v402.order.rejected.v1', { side, code: row.code }).length > 0;
  if (state === 'rejected' && !isRejected) fail(`${where}/code`, 'was not announced');
  const lost = eventsOf(opened, 'org.v402.order.outcome_unknown.v1', { side });
  if (row.unknowns !== lost.length) fail(`${where}/unknowns`, 'is not as often as it was announced');
  const reached = { ...row, attempt: Math.max(1, row.attempt) };
  const [event] = created;
  if (event === undefined) {
    const { code, attempt } = lost.at(-1)?.data ?? {};
    if (state === 'unknown') compareMembers(reached, { code, attempt }, where, 'order.outcome_unknown', fail);
    for (const [name, value] of Object.entries({ orderSystem, orderNumber, orderUrl, orderedAt })) {
      if (value !== null) fail(`${where}/${name}`, 'there is no order yet');
    }
    return;
  }
  const { data, time } = event;
  const found = { orderSystem, orderNumber, url: orderUrl, code: row.code, attempt: reached.attempt };
  const { url = null } = data;
  const wanted = { orderSystem: data['orderSystem'], orderNumber: data['orderNumber'], url, code: null };
  compareMembers(found, { ...wanted, attempt: data['attempt'] }, where, 'order.created', fail);
  if (orderedAt === null || compareInstants(orderedAt, time) !== 0)
    fail(`${where}/orderedAt`, 'differs from order.created');
  compareMembers(data, { kind, reference: settlement.orderReference }, '/events', 'the order', fail);
}

export const orderSystemCheck: EvidenceCheck = {
  code: 'order_system',
  proves:
    'The order system itself, asked when the file was made, has the orders as they were agreed: same lines, same total.',
  run: ofSettlement(({ file, settlement, contract, contractId }, fail) => {
    const { orderSystem, orders } = file;
    if (orderSystem === null) return false;
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
      for (const at of orderDifferences(draft, found)) fail(where, `differs from the contract at ${at}`);
      compareMembers(order, { kind: draft.kind, reference: draft.reference }, where, 'what was asked for', fail);
      if (order.orderNumber !== row.orderNumber) fail(`${where}/orderNumber`, 'differs from the record');
      if ((url ?? null) !== row.orderUrl) fail(`${where}/url`, 'differs from the record');
    });
    return orderSystem.orders.some(({ order }) => order !== null);
  }),
};
