import { randomUUID } from 'node:crypto';
import type { OperatorCase } from '@v402/application';
import type { ContractDraft } from '@v402/contract';
import { sumDecimals, type Side } from '@v402/domain';
import { ScriptedOrderSystem } from '@v402/testing';
import type { BackOffice } from '../support/back-office.js';
import type { AgreedTrade } from '../support/intake-scene.js';
import { keyOf, OperationsScene, refusal } from '../support/operations-scene.js';
import type { Operator } from '../support/operator.js';

/** Real: PostgreSQL with the operators' own role, intake, the placing of orders, the releases. */
let scene: OperationsScene;
let office: BackOffice;
let operator: Operator;

beforeAll(async () => {
  scene = await OperationsScene.open();
  ({ office, operator } = scene);
});
beforeEach(() => office.dropWork());
afterAll(() => scene.close());

const LINES = [{ sku: 'BOLT', quantity: '100', unitPrice: '3.00' }] as const;
const TERMS: ContractDraft = {
  lines: LINES,
  payment: [
    { rail: 'card', trigger: 'agreed', amount: '100.00' },
    { rail: 'card', trigger: 'ordered', amount: '80.00' },
    { rail: 'card', trigger: 'ordered', days: 30 },
  ],
  delivery: {
    schedule: [
      { notBefore: '2026-11-22', notAfter: '2026-11-30', items: [{ line: '1', quantity: '40' }] },
      { notBefore: '2099-01-01', notAfter: '2099-01-05' },
    ],
  },
};

const system = new ScriptedOrderSystem();

/** A contract whose order stands, with what was due asked for. */
async function begun(draft: ContractDraft = TERMS, sides: readonly Side[] = ['seller']): Promise<AgreedTrade> {
  const base = await office.accept({ negotiationId: randomUUID(), ...draft }, [...sides]);
  await office.orders(system).handle();
  await office.workflows().handle();
  return base;
}

const amend = (base: AgreedTrade, draft: ContractDraft = {}, sides?: readonly Side[]): Promise<AgreedTrade> =>
  scene.amend(base, { ...TERMS, ...draft }, sides);

/** The case of an amendment that waits. */
async function heldFor({ contractId }: AgreedTrade): Promise<OperatorCase> {
  return (await operator.cases()).find((one) => one.contractId === contractId)!;
}

/** Whatever is due now, to its end. */
async function workOff(): Promise<void> {
  await office.makeDue();
  await office.orders(system).handle();
  await office.workflows().handle();
}

const legsOf = (trade: AgreedTrade): Promise<Record<string, unknown>[]> =>
  office.sql(
    'SELECT leg_id AS id, state, code FROM v402.payment_leg WHERE contract_id = $1 ORDER BY side, number',
    keyOf(trade),
  );

const deliveriesOf = (trade: AgreedTrade): Promise<Record<string, unknown>[]> =>
  office.sql(
    'SELECT delivery_id AS id, state, code FROM v402.delivery WHERE contract_id = $1 ORDER BY side, number',
    keyOf(trade),
  );

/** Legs and deliveries that were asked for under any of the contracts, as a payment system and a warehouse see them. */
async function asked(...trades: readonly AgreedTrade[]): Promise<string[]> {
  const events = (await Promise.all(trades.map((trade) => office.events(trade, 'requested')))).flat();
  return events.map(({ data }) => String(data['legId'] ?? data['deliveryId'])).sort();
}

async function askedAmount(...trades: readonly AgreedTrade[]): Promise<string> {
  const events = (await Promise.all(trades.map((trade) => office.events(trade, 'payment.requested')))).flat();
  return sumDecimals(events.map(({ data }) => (data['amount'] as { amount: string }).amount));
}

test('released: the order is taken over, what was asked for counts, and only the rest is asked for', async () => {
  const base = await begun();
  expect(await asked(base)).toEqual(['d1', 'p1', 'p2']);
  const amendment = await amend(base, {
    payment: [
      { rail: 'card', trigger: 'agreed', amount: '100.00' },
      { rail: 'card', trigger: 'ordered', amount: '80.00' },
      { rail: 'card', trigger: 'ordered' },
    ],
    delivery: {
      schedule: [
        { notBefore: '2026-11-22', notAfter: '2026-11-30', items: [{ line: '1', quantity: '40' }] },
        { notBefore: '2026-11-23', notAfter: '2026-12-30' },
      ],
    },
  });
  const orders = system.orders.length;
  const changes = await operator.release(amendment.contractId, true);
  expect(changes).toMatchObject({
    outcome: 'done',
    changes: {
      askedForBefore: 'seller leg p1, seller leg p2, seller delivery d1',
      started: 'seller payment_leg p3, seller delivery d2',
    },
  });
  expect(await scene.settlementOf(amendment)).toEqual({ state: 'fulfilling', current: true });
  expect(await office.eventTypes(base, 'settlement.')).toEqual(['settlement.accepted.v1', 'settlement.superseded.v1']);
  const [created] = await office.events(base, 'order.created');
  expect(await office.events(amendment, 'order.')).toMatchObject([
    {
      type: 'org.v402.order.changed.v1',
      data: { orderNumber: created!.data['orderNumber'], reference: base.shortRef, placedFor: base.contractId },
    },
  ]);
  await workOff();
  await workOff();
  expect(await asked(base, amendment)).toEqual(['d1', 'd2', 'p1', 'p2', 'p3']);
  expect(await askedAmount(base, amendment)).toBe('300');
  expect(system.orders).toHaveLength(orders);
  expect(await legsOf(base)).toMatchObject([{ state: 'requested' }, { state: 'requested' }, { state: 'superseded' }]);
  const [changed] = await office.events(amendment, 'order.changed');
  expect((await office.events(amendment, 'payment.scheduled'))[0]).toMatchObject({ causationid: changed!.id });
});

test('released: what was asked for and is not agreed any more is named, since nobody else calls it off', async () => {
  const base = await begun();
  const amendment = await amend(base, { payment: [{ rail: 'card', trigger: 'agreed' }] });
  expect(await operator.release(amendment.contractId, true)).toMatchObject({
    changes: { blocked: 'seller leg p1 (differs_from_request)', noLongerAgreed: 'seller leg p2' },
  });
  await workOff();
  expect(await asked(base, amendment)).toEqual(['d1', 'd2', 'p1', 'p2']);
});

test('released without the statement that the order was changed: refused, and nothing is changed', async () => {
  const amendment = await amend(await begun());
  const before = await office.scene.content();
  await expect(operator.release(amendment.contractId)).rejects.toEqual(refusal('order_change_unconfirmed'));
  expect(await office.scene.content()).toEqual(before);
});

test('what differs from what was asked for stays blocked, and the sum never exceeds what was agreed', async () => {
  const base = await begun();
  // 180 of 300 were asked for. Now 250 are agreed: the first leg is another one, and a leg has another name.
  const amendment = await amend(base, {
    lines: [{ sku: 'BOLT', quantity: '100', unitPrice: '2.50' }],
    payment: [
      { rail: 'card', trigger: 'agreed', amount: '120.00' },
      { id: 'renamed', rail: 'card', trigger: 'ordered', amount: '80.00' },
      { id: 'rest', rail: 'card', trigger: 'ordered', amount: '50.00' },
    ],
    delivery: {
      schedule: [
        { notBefore: '2026-11-22', notAfter: '2026-11-30', items: [{ line: '1', quantity: '30' }] },
        { id: 'again', notBefore: '2026-11-22', notAfter: '2026-11-30', items: [{ line: '1', quantity: '40' }] },
        { id: 'more', notBefore: '2026-11-22', notAfter: '2026-11-30' },
      ],
    },
  });
  await operator.release(amendment.contractId, true);
  await workOff();
  await workOff();
  expect(await legsOf(amendment)).toEqual([
    { id: 'p1', state: 'blocked', code: 'differs_from_request' },
    { id: 'renamed', state: 'blocked', code: 'exceeds_total' },
    { id: 'rest', state: 'requested', code: null },
  ]);
  expect(await deliveriesOf(amendment)).toEqual([
    { id: 'd1', state: 'blocked', code: 'differs_from_request' },
    { id: 'again', state: 'requested', code: null },
    { id: 'more', state: 'blocked', code: 'exceeds_quantity' },
  ]);
  expect(Number(await askedAmount(base, amendment))).toBeLessThanOrEqual(250);
});

test('rejected: the amendment is void, its base is current again and goes on', async () => {
  const base = await begun();
  const amendment = await amend(base);
  scene.forged.add(base.contractId);
  await office.sql(
    "UPDATE v402.payment_leg SET due_date = '2020-01-01' WHERE contract_id = $1 AND leg_id = 'p3'",
    keyOf(base),
  );
  await workOff();
  expect(await asked(base)).toEqual(['d1', 'p1', 'p2']);
  await operator.reject(amendment.contractId);
  expect(await scene.settlementOf(base)).toEqual({ state: 'fulfilling', current: true });
  expect(await scene.settlementOf(amendment)).toEqual({ state: 'superseded', current: false });
  expect(await office.events(amendment, 'superseded')).toMatchObject([{ data: { supersededBy: base.contractId } }]);
  await workOff();
  expect(await asked(base, amendment)).toEqual(['d1', 'd2', 'p1', 'p2', 'p3']);
  // The parties may agree on another one.
  const next = await amend(base);
  expect(await operator.caseOf(next)).toMatchObject({
    reason: 'amendment_after_start',
    otherContractId: base.contractId,
  });
  const again = office.scene.message(amendment.envelope);
  expect(await office.scene.handler.handle([again])).toMatchObject({ duplicates: 1 });
});

test('an order that nobody has asked for yet is placed on the amended terms', async () => {
  const base = await office.accept({ negotiationId: randomUUID(), ...TERMS });
  system.script.create = (draft) =>
    draft.kind === 'sales_order'
      ? Promise.resolve({ outcome: 'rejected', code: 'sku_unknown', message: '' })
      : Promise.resolve({ outcome: 'created', order: { orderNumber: 'PO-1' } });
  await office.orders(system).handle();
  system.script = {};
  const amendment = await amend(base, {}, ['buyer', 'seller']);
  const [held] = (await operator.cases(amendment.contractId)).filter(
    ({ reason }) => reason === 'amendment_after_start',
  );
  await operator.release(held!.id, true);
  const refused = await operator.caseOf(base);
  expect(refused).toMatchObject({ reason: 'order_rejected' });
  // The refusal's own hold is still there; it is about a contract that nobody pursues.
  const orders = system.orders.length;
  await workOff();
  expect(system.orders).toHaveLength(orders);
  await expect(operator.redrive(refused.id)).rejects.toEqual(refusal('order_not_stuck'));
  expect(await operator.reject(refused.id)).toMatchObject({ changes: { hold: 'released' } });
  await workOff();
  expect(system.orders.slice(orders)).toMatchObject([{ kind: 'sales_order', contractId: amendment.contractId }]);
});

test('as long as an order of the base may or may not exist, nobody can release the amendment', async () => {
  system.script.create = () => Promise.resolve({ outcome: 'unknown', code: 'reset' });
  const base = await office.accept({ negotiationId: randomUUID() }, ['seller']);
  await office.orders(system).handle();
  system.script = {};
  const amendment = await amend(base);
  await expect(operator.release(amendment.contractId, true)).rejects.toEqual(refusal('order_undecided'));
});

describe('an amendment of an amendment that waits', () => {
  test('waits too: its base has not started, but what came before has', async () => {
    const base = await begun();
    const second = await amend(base);
    const third = await amend(second);
    expect(await operator.caseOf(third)).toMatchObject({ otherContractId: second.contractId });
    expect(await office.work(third)).toEqual([]);
    const ofSecond = await heldFor(second);
    await expect(operator.release(ofSecond.id, true)).rejects.toEqual(refusal('not_current'));

    await operator.release(third.contractId, true);
    expect(await office.eventTypes(base, 'settlement.superseded')).toHaveLength(1);
    expect(await office.eventTypes(second, 'settlement.superseded')).toHaveLength(1);
    await workOff();
    // The hold of the second is still open.
    expect(await asked(base, third)).toEqual(['d1', 'p1', 'p2']);
    await operator.reject(ofSecond.id);
    expect(await office.eventTypes(second, 'settlement.superseded')).toHaveLength(1);
    scene.forged.add(third.contractId);
    await office.sql(
      "UPDATE v402.payment_leg SET due_date = '2020-01-01', state = 'scheduled' WHERE contract_id = $1 AND leg_id = 'p3'",
      keyOf(third),
    );
    await workOff();
    expect(await asked(base, second, third)).toEqual(['d1', 'd2', 'p1', 'p2', 'p3']);
  });

  test('rejected one after the other, the first contract goes on', async () => {
    const base = await begun();
    const second = await amend(base);
    const third = await amend(second);
    const ofSecond = await heldFor(second);
    await operator.reject(ofSecond.id);
    expect(await scene.settlementOf(third)).toMatchObject({ current: true });
    await operator.reject(third.contractId);
    expect(await scene.settlementOf(base)).toMatchObject({ current: true });
  });

  test('the older one rejected first: the newer one takes its place, and each of the others is told once', async () => {
    const base = await begun();
    const second = await amend(base);
    const third = await amend(second);
    const fourth = await amend(third);
    await operator.reject((await heldFor(second)).id);
    await operator.release((await heldFor(fourth)).id, true);
    const told = async (trade: AgreedTrade): Promise<unknown> =>
      (await office.events(trade, 'settlement.superseded')).map(({ data }) => data['supersededBy']);
    expect(await told(base)).toEqual([fourth.contractId]);
    expect(await told(second)).toEqual([base.contractId]);
    expect(await told(third)).toEqual([fourth.contractId]);
    expect(await told(fourth)).toEqual([]);
  });
});

describe('an order that was given up, and an amendment that takes its contract’s place', () => {
  /** The hold of the first contract's order stops the amendment: the case is open again, and only a rejection helps. */
  async function expectReopened(base: AgreedTrade, amendment: AgreedTrade, id: string): Promise<void> {
    const orders = system.orders.length;
    await workOff();
    expect(system.orders).toHaveLength(orders);

    const open = await operator.cases();
    expect(open.map((one) => one.id)).toContain(id);
    const { quarantine } = await office.unitOfWork.run((tx) => tx.backlog.figures());
    const counted = [...quarantine].map(([reason, figures]) => [reason, figures.open]);
    const listed = Map.groupBy(open, ({ reason }) => reason);
    expect(Object.fromEntries(counted)).toEqual(
      Object.fromEntries([...listed].map(([reason, cases]) => [reason, cases.length])),
    );
    await expect(operator.release(id)).rejects.toEqual(refusal('use_redrive'));
    await expect(operator.redrive(base.contractId)).rejects.toEqual(refusal('order_not_stuck'));
    expect(await operator.reject(base.contractId)).toMatchObject({ caseId: id, changes: { hold: 'released' } });
    expect((await operator.cases()).map((one) => one.id)).not.toContain(id);
    await expect(operator.reject(id)).rejects.toEqual(refusal('already_resolved'));

    await workOff();
    expect(system.orders.slice(orders)).toMatchObject([{ contractId: amendment.contractId }]);
  }

  test('refused, and replaced by an operator', async () => {
    system.script.create = () => Promise.resolve({ outcome: 'rejected', code: 'sku_unknown', message: '' });
    const base = await office.accept({ negotiationId: randomUUID() }, ['seller']);
    await office.orders(system).handle();
    system.script = {};
    const { id } = await operator.caseOf(base);
    expect(await operator.reject(id)).toMatchObject({ changes: { hold: 'stays' } });
    const amendment = await amend(base);
    // As long as nothing has taken its place, it is given up.
    await expect(operator.reject(id)).rejects.toEqual(refusal('already_resolved'));
    await operator.release(amendment.contractId);
    await expectReopened(base, amendment, id);
  });

  test('tried too often, and replaced by intake, since nothing has started', async () => {
    system.script.create = () => Promise.resolve({ outcome: 'retryable', code: 'too_many_requests' });
    const base = await office.accept({ negotiationId: randomUUID() }, ['seller']);
    await office.orders(system, { timing: { maxAttempts: 1 } }).handle();
    system.script = {};
    const { id, reason } = await operator.caseOf(base);
    expect(reason).toBe('order_retries_exhausted');
    expect(await operator.reject(id)).toMatchObject({ changes: { hold: 'stays' } });
    const amendment = await amend(base);
    expect(await scene.settlementOf(amendment)).toEqual({ state: 'accepted', current: true });
    await expectReopened(base, amendment, id);
  });
});
