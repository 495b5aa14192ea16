import { randomUUID } from 'node:crypto';
import { ScriptedOrderSystem } from '@v402/testing';
import type { BackOffice } from '../support/back-office.js';
import type { AgreedTrade } from '../support/intake-scene.js';
import { keyOf, OperationsScene, refusal } from '../support/operations-scene.js';
import type { Operator } from '../support/operator.js';
import { sha256 } from '../support/records.js';

/** Real: PostgreSQL with the operators' own role, intake, the placing of orders. */
let scene: OperationsScene;
let office: BackOffice;
let operator: Operator;

beforeAll(async () => {
  scene = await OperationsScene.open();
  ({ office, operator } = scene);
});
beforeEach(() => office.dropWork());
afterAll(() => scene.close());

describe('an order', () => {
  const sellersOrder = async (trade: AgreedTrade): Promise<unknown> =>
    (await office.sql('SELECT state, redrives FROM v402.order_placement WHERE contract_id = $1', keyOf(trade)))[0];

  test('refused, then redriven: it is tried from the beginning, once a redrive', async () => {
    const system = new ScriptedOrderSystem();
    system.script.create = () => Promise.resolve({ outcome: 'rejected', code: 'sku_unknown', message: '' });
    const trade = await office.accept({}, ['seller']);
    await office.orders(system).handle();
    expect(await operator.caseOf(trade)).toMatchObject({
      reason: 'order_rejected',
      code: 'sku_unknown',
      side: 'seller',
    });

    await operator.redrive(trade.shortRef);
    await expect(operator.redrive(trade.shortRef)).rejects.toEqual(refusal('nothing_to_redrive'));
    await office.orders(system).handle();
    expect(await sellersOrder(trade)).toEqual({ state: 'rejected', redrives: 1 });
    const rejections = await office.events(trade, 'order.rejected');
    expect(new Set(rejections.map(({ id }) => id)).size).toBe(2);

    system.script = {};
    await operator.redrive(trade.contractId);
    await office.orders(system).handle();
    expect(system.orders).toHaveLength(1);
    expect(await sellersOrder(trade)).toEqual({ state: 'created', redrives: 2 });
    expect(await office.eventTypes(trade, 'hold.')).toEqual([
      'hold.placed.v1',
      'hold.released.v1',
      'hold.placed.v1',
      'hold.released.v1',
    ]);
  });

  test('of which nobody knows whether it exists: a redrive looks it up, and never creates it blindly', async () => {
    const system = new ScriptedOrderSystem({ uniqueRef: 'none' });
    system.script.create = () => Promise.resolve({ outcome: 'unknown', code: 'reset' });
    const trade = await office.accept({}, ['seller']);
    await office.orders(system).handle();
    await office.makeDue();
    await office.orders(system).handle();
    expect(await operator.caseOf(trade)).toMatchObject({
      reason: 'order_unresolved',
      code: 'not_found_and_not_unique',
    });

    await operator.redrive(trade.contractId);
    expect(await sellersOrder(trade)).toEqual({ state: 'unknown', redrives: 1 });
    await office.orders(system).handle();
    expect(system.creates).toHaveLength(1);
    expect(await sellersOrder(trade)).toEqual({ state: 'unresolved', redrives: 1 });

    // Somebody has made the order by hand, under our reference.
    const { contract, contractId, shortRef: reference } = trade;
    system.put({ kind: 'sales_order', reference, contractId, contract });
    await operator.redrive(trade.contractId);
    await office.orders(system).handle();
    expect(system.creates).toHaveLength(1);
    expect(await sellersOrder(trade)).toEqual({ state: 'created', redrives: 2 });
    expect(await operator.cases(trade.contractId)).toEqual([]);
  });

  test('that was tried too often: a redrive tries it from the beginning', async () => {
    const system = new ScriptedOrderSystem();
    system.script = { create: () => Promise.resolve({ outcome: 'retryable', code: 'too_many_requests' }) };
    const trade = await office.accept({}, ['seller']);
    const orders = office.orders(system, { timing: { maxAttempts: 1 } });
    await orders.handle();
    expect(await operator.caseOf(trade)).toMatchObject({
      reason: 'order_retries_exhausted',
      code: 'too_many_requests',
    });

    system.script = {};
    await office.makeDue();
    expect(await orders.handle()).toBe(0);
    await operator.redrive(trade.contractId);
    await orders.handle();
    expect(await sellersOrder(trade)).toEqual({ state: 'created', redrives: 1 });
    expect(system.orders).toHaveLength(1);
    expect(await operator.cases(trade.contractId)).toEqual([]);
  });

  test('whose answer was lost too often: a redrive gives it all its tries again', async () => {
    const system = new ScriptedOrderSystem();
    system.script.create = () => Promise.resolve({ outcome: 'unknown', code: 'reset' });
    const trade = await office.accept({}, ['seller']);
    const orders = office.orders(system, { timing: { maxAttempts: 3 } });
    const untilGivenUp = async (): Promise<number> => {
      const before = system.creates.length;
      for (let looks = 0; looks < 20 && (await operator.cases(trade.contractId)).length === 0; looks += 1) {
        await orders.handle();
        await office.makeDue();
      }
      expect(await operator.caseOf(trade)).toMatchObject({ reason: 'order_retries_exhausted', code: 'not_found' });
      return system.creates.length - before;
    };
    expect(await untilGivenUp()).toBe(3);
    await operator.redrive(trade.contractId);
    expect(await untilGivenUp()).toBe(3);
    expect(new Set((await office.events(trade, 'order.outcome_unknown')).map(({ id }) => id)).size).toBe(6);
  });

  test('that differs: redriven once it was corrected, it is ours; before, it is held again', async () => {
    const system = new ScriptedOrderSystem();
    const trade = await office.accept({}, ['seller']);
    const { contract, contractId, shortRef: reference } = trade;
    system.put({ kind: 'sales_order', reference, contractId, contract }, { total: '1.00' });
    await office.orders(system).handle();
    const one = await operator.caseOf(trade);
    expect(one).toMatchObject({ reason: 'order_mismatch', code: 'order_differs' });
    await operator.redrive(one.id);
    await office.orders(system).handle();
    const again = await operator.caseOf(trade);
    expect(again.id).not.toBe(one.id);
    await expect(operator.redrive(one.id)).rejects.toEqual(refusal('already_resolved'));

    system.orders[0] = { ...system.orders[0]!, total: contract.terms.total };
    await operator.redrive(again.id);
    await office.orders(system).handle();
    expect(await sellersOrder(trade)).toEqual({ state: 'created', redrives: 2 });
  });

  test('rejected by the operator: its hold stays, so nothing of it starts, until somebody redrives it', async () => {
    const system = new ScriptedOrderSystem();
    system.script.create = () => Promise.resolve({ outcome: 'rejected', code: 'sku_unknown', message: '' });
    const trade = await office.accept({ payment: [{ rail: 'card', trigger: 'agreed' }] }, ['seller']);
    await office.orders(system).handle();
    expect(await operator.reject(trade.contractId)).toMatchObject({ changes: { hold: 'stays' } });
    expect(await operator.cases(trade.contractId)).toEqual([]);
    await office.makeDue();
    await office.workflows().handle();
    expect(await office.events(trade, 'payment.')).toEqual([]);
    await expect(operator.reject(trade.contractId)).rejects.toEqual(refusal('case_not_found'));

    system.script = {};
    await operator.redrive(trade.contractId);
    await office.orders(system).handle();
    await office.makeDue();
    await office.workflows().handle();
    expect(await office.eventTypes(trade, 'payment.requested')).toEqual(['payment.requested.v1']);
  });

  test('cannot be let through as it is', async () => {
    const system = new ScriptedOrderSystem();
    system.script.create = () => Promise.resolve({ outcome: 'rejected', code: 'sku_unknown', message: '' });
    const trade = await office.accept({}, ['seller']);
    await office.orders(system).handle();
    await expect(operator.release(trade.contractId)).rejects.toEqual(refusal('use_redrive'));
  });

  test('of which nothing is stuck: a redrive says so', async () => {
    const trade = await office.accept({}, ['seller']);
    await expect(operator.redrive(trade.contractId)).rejects.toEqual(refusal('nothing_to_redrive'));
    await expect(operator.redrive(sha256('nobody'))).rejects.toEqual(refusal('nothing_to_redrive'));
    await expect(operator.redrive(randomUUID())).rejects.toEqual(refusal('case_not_found'));
  });
});
