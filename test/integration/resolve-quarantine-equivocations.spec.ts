import { randomUUID } from 'node:crypto';
import { ScriptedOrderSystem } from '@v402/testing';
import type { BackOffice } from '../support/back-office.js';
import { variant } from '../support/intake-scene.js';
import { keyOf, OperationsScene, refusal } from '../support/operations-scene.js';
import { Operator } from '../support/operator.js';
import { sha256 } from '../support/records.js';
import { SELLER } from '../support/trade.js';

/** Real: PostgreSQL with the operators' own role, intake with signatures and trust registry, the placing of orders. */
let scene: OperationsScene;
let office: BackOffice;
let operator: Operator;

beforeAll(async () => {
  scene = await OperationsScene.open();
  ({ office, operator } = scene);
});
beforeEach(() => office.dropWork());
afterAll(() => scene.close());

describe('an equivocation', () => {
  test('rejected: the second contract stays refused, and the first goes on', async () => {
    const { first, second } = await scene.conflict();
    const system = new ScriptedOrderSystem();
    await office.orders(system).handle();
    expect(system.creates).toEqual([]);

    const one = await operator.caseOf(second);
    const resolved = await operator.reject(one.id);
    expect(resolved).toMatchObject({ outcome: 'done', changes: { refusedContract: second.contractId } });
    await office.makeDue();
    await office.orders(system).handle();
    expect(system.orders.map(({ contractId }) => contractId)).toEqual([first.contractId, first.contractId]);

    expect(await office.eventTypes(first, 'hold.')).toEqual(['hold.placed.v1', 'hold.released.v1']);
    const [placed, released] = await office.events(first, 'hold.');
    expect(released).toMatchObject({
      causationid: placed!.id,
      data: { holdId: one.hold!.id, reason: 'equivocation', resolution: 'reject' },
    });
    // Whoever sends it again learns nothing new.
    expect(await office.scene.handler.handle([scene.arrived(second), scene.arrived(first)])).toMatchObject({
      quarantined: 1,
      duplicates: 1,
    });
    expect(await operator.cases(second.contractId)).toEqual([]);
    expect(await scene.settlementOf(second)).toBeUndefined();
  });

  test('released: the second contract takes the place of the first, of which nothing has started', async () => {
    const { first, second } = await scene.conflict();
    await operator.release(second.contractId);
    expect(await scene.settlementOf(first)).toEqual({ state: 'superseded', current: false });
    expect(await scene.settlementOf(second)).toEqual({ state: 'accepted', current: true });
    expect(await office.eventTypes(first, 'settlement.')).toEqual([
      'settlement.accepted.v1',
      'settlement.superseded.v1',
    ]);

    const system = new ScriptedOrderSystem();
    await office.makeDue();
    await office.orders(system).handle();
    expect(system.orders.map(({ contractId, reference }) => [contractId, reference])).toEqual([
      [second.contractId, second.shortRef],
      [second.contractId, second.shortRef],
    ]);
    const decisions = await office.sql(
      'SELECT outcome, raw_digest FROM v402.decision WHERE contract_id = $1 ORDER BY id',
      keyOf(second),
    );
    const rawDigest = Buffer.from(sha256(second.envelope), 'hex');
    expect(decisions).toEqual([
      { outcome: 'quarantined', raw_digest: rawDigest },
      { outcome: 'accepted', raw_digest: rawDigest },
    ]);
    expect(await office.scene.handler.handle([scene.arrived(second), scene.arrived(first)])).toMatchObject({
      duplicates: 2,
    });
  });

  test('released after something of the first has started: refused, and nothing is changed', async () => {
    const negotiationId = randomUUID();
    const first = await office.accept({ negotiationId });
    await office.orders(new ScriptedOrderSystem()).handle();
    const second = variant('late', { negotiationId, agreedAt: first.contract.agreedAt });
    await office.scene.handler.handle([scene.arrived(second)]);
    const before = await office.scene.content();
    await expect(operator.release(second.contractId)).rejects.toEqual(refusal('already_started'));
    expect(await office.scene.content()).toEqual(before);
  });

  test('released although it had expired when it came: refused like any expired contract', async () => {
    const negotiationId = randomUUID();
    const first = await office.accept({ negotiationId });
    const second = variant('expired', { negotiationId, agreedAt: first.contract.agreedAt });
    const late = new Date(Date.parse(second.contract.expiresAt) + 1).toISOString();
    const message = office.scene.message(second.envelope, { arrival: { at: late, source: 'broker' } });
    await office.scene.handler.handle([message]);
    const one = await operator.caseOf(second);
    expect(one.hold).toBeUndefined();
    await expect(operator.release(one.id)).rejects.toMatchObject({
      code: 'contract_refused',
      context: { code: 'expired' },
    });
    await operator.reject(one.id);
    expect(await office.eventTypes(first, 'hold.')).toEqual([]);
  });

  test('released although the same bytes were refused before: the arrival that set them aside counts', async () => {
    const negotiationId = randomUUID();
    const first = await office.accept({ negotiationId });
    const { agreedAt } = first.contract;
    const second = variant('early', { negotiationId, agreedAt });
    const early = new Date(Date.parse(agreedAt) - 3_600_000).toISOString();
    const message = office.scene.message(second.envelope, { arrival: { at: early, source: 'broker' } });
    expect(await office.scene.handler.handle([message])).toMatchObject({ rejected: 1 });
    expect(await office.scene.handler.handle([scene.arrived(second)])).toMatchObject({ quarantined: 1 });
    await operator.release(second.contractId);
    expect(await scene.settlementOf(second)).toEqual({ state: 'accepted', current: true });
  });

  test('a release leaves the holds of others', async () => {
    const { first, second } = await scene.conflict();
    const third = variant('third', {
      negotiationId: first.contract.negotiationId,
      agreedAt: first.contract.agreedAt,
    });
    await office.scene.handler.handle([scene.arrived(third)]);
    await operator.reject(second.contractId);
    const system = new ScriptedOrderSystem();
    await office.makeDue();
    await office.orders(system).handle();
    expect(system.creates).toEqual([]);
    await expect(operator.release(first.contractId)).resolves.toMatchObject({
      changes: { acceptedContract: third.contractId, supersededContract: first.contractId },
    });
    await office.makeDue();
    await office.orders(system).handle();
    expect(system.orders.map(({ contractId }) => contractId)).toEqual([third.contractId, third.contractId]);
  });

  test('a redrive decides nothing by itself', async () => {
    const { second } = await scene.conflict();
    await expect(operator.redrive(second.contractId)).rejects.toEqual(refusal('decision_needed'));
  });
});

test('served parties decide what a released contract begins', async () => {
  const { second } = await scene.conflict();
  const sellerOnly = new Operator(office.scene);
  expect(second.contract.parties.seller.id).toBe(SELLER);
  await sellerOnly.release(second.contractId);
  await sellerOnly.close();
  const sides = await office.sql(
    'SELECT side FROM v402.order_placement WHERE contract_id = $1 ORDER BY side',
    keyOf(second),
  );
  expect(sides).toEqual([{ side: 'buyer' }, { side: 'seller' }]);
});
