import { randomUUID } from 'node:crypto';
import { TerminalError } from '@v402/domain';
import { DecoratedUnitOfWork, ScriptedOrderSystem } from '@v402/testing';
import pg from 'pg';
import type { BackOffice } from '../support/back-office.js';
import { variant, type AgreedTrade } from '../support/intake-scene.js';
import { keyOf, OperationsScene, refusal } from '../support/operations-scene.js';
import { Operator } from '../support/operator.js';
import { sha256 } from '../support/records.js';
import { DiesOnceAt, DoesAt, StopsAt } from '../support/seams.js';
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

interface Conflict {
  readonly first: AgreedTrade;
  readonly second: AgreedTrade;
}

/** Two contracts that both parties signed for one negotiation; the first was accepted. */
async function conflict(): Promise<Conflict> {
  const negotiationId = randomUUID();
  const first = await office.accept({ negotiationId });
  const second = variant('second', { negotiationId, agreedAt: first.contract.agreedAt });
  expect(await office.scene.handler.handle([arrived(second)])).toMatchObject({ quarantined: 1 });
  return { first, second };
}

const arrived = ({ envelope, contract }: AgreedTrade): ReturnType<typeof office.scene.message> =>
  office.scene.message(envelope, { arrival: { at: contract.agreedAt, source: 'broker' } });

describe('an equivocation', () => {
  test('rejected: the second contract stays refused, and the first goes on', async () => {
    const { first, second } = await conflict();
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
    expect(await office.scene.handler.handle([arrived(second), arrived(first)])).toMatchObject({
      quarantined: 1,
      duplicates: 1,
    });
    expect(await operator.cases(second.contractId)).toEqual([]);
    expect(await scene.settlementOf(second)).toBeUndefined();
  });

  test('released: the second contract takes the place of the first, of which nothing has started', async () => {
    const { first, second } = await conflict();
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
    expect(await office.scene.handler.handle([arrived(second), arrived(first)])).toMatchObject({ duplicates: 2 });
  });

  test('released after something of the first has started: refused, and nothing is changed', async () => {
    const negotiationId = randomUUID();
    const first = await office.accept({ negotiationId });
    await office.orders(new ScriptedOrderSystem()).handle();
    const second = variant('late', { negotiationId, agreedAt: first.contract.agreedAt });
    await office.scene.handler.handle([arrived(second)]);
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
    expect(await office.scene.handler.handle([arrived(second)])).toMatchObject({ quarantined: 1 });
    await operator.release(second.contractId);
    expect(await scene.settlementOf(second)).toEqual({ state: 'accepted', current: true });
  });

  test('a release leaves the holds of others', async () => {
    const { first, second } = await conflict();
    const third = variant('third', {
      negotiationId: first.contract.negotiationId,
      agreedAt: first.contract.agreedAt,
    });
    await office.scene.handler.handle([arrived(third)]);
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
    const { second } = await conflict();
    await expect(operator.redrive(second.contractId)).rejects.toEqual(refusal('decision_needed'));
  });
});

describe('a message that could not be decided', () => {
  /** Parks a message by a mistake of ours that is corrected afterwards. */
  async function parked(): Promise<{ trade: AgreedTrade; id: string }> {
    const negotiationId = randomUUID();
    const failing = new DecoratedUnitOfWork(office.unitOfWork, {
      deals: () => ({
        insertMissing: () => Promise.reject(new TerminalError('data_error', 'The database refuses a value.')),
      }),
    });
    const trade = variant('parked', { negotiationId, agreedAt: new Date(Date.now() - 5_000).toISOString() });
    const counts = await office.scene.handlerWith({ unitOfWork: failing }).handle([arrived(trade)]);
    expect(counts).toMatchObject({ undecidable: 1 });
    const one = (await operator.cases()).find(({ rawDigest }) => rawDigest === sha256(trade.envelope));
    return { trade, id: one!.id };
  }

  test.each(['release', 'redrive'] as const)(
    '%s: it is decided on its stored bytes, as of its arrival',
    async (verb) => {
      const { trade, id } = await parked();
      expect(await operator[verb](id)).toMatchObject({ changes: { decision: 'accepted' } });
      expect(await scene.settlementOf(trade)).toEqual({ state: 'accepted', current: true });
      const [accepted] = await office.events(trade, 'settlement.accepted');
      expect(accepted!.data['evidence']).toMatchObject({
        rawDigest: sha256(trade.envelope),
        arrival: { at: trade.contract.agreedAt.replace('Z', '000Z'), source: 'broker' },
      });
      await expect(operator[verb](id)).rejects.toEqual(refusal('already_resolved'));
      expect(await office.scene.handler.handle([arrived(trade)])).toMatchObject({ duplicates: 1 });
    },
  );

  test('a redrive after its contract has expired decides as it would have then', async () => {
    const { trade, id } = await parked();
    // Its arrival counts, not the moment at which an operator finds the time.
    scene.forged.add(trade.contractId);
    await office.sql(
      "UPDATE v402.decision SET arrival = '9999-01-01' WHERE raw_digest = decode($1, 'hex')",
      sha256(trade.envelope),
    );
    expect(await operator.redrive(id)).toMatchObject({ changes: { decision: 'rejected' } });
    expect(await office.sql('SELECT code FROM v402.rejection WHERE contract_id = $1', keyOf(trade))).toEqual([
      { code: 'expired' },
    ]);
  });

  test('its decisions are found by an index: deal and case stay locked while they are read', async () => {
    const client = new pg.Client({ connectionString: office.database.adminUrl });
    await client.connect();
    // In a small table PostgreSQL reads all rows where it may.
    await client.query('SET enable_seqscan = off');
    const { rows } = await client.query(
      "EXPLAIN SELECT FROM v402.decision WHERE contract_id = '\\x01' OR raw_digest = '\\x02'",
    );
    await client.end();
    expect(JSON.stringify(rows)).not.toContain('Seq Scan');
  });

  test('still undecidable: refused, and nothing is changed', async () => {
    const { id } = await parked();
    const before = await office.scene.content();
    const failing = new DecoratedUnitOfWork(operator.unitOfWork, {
      settlements: () => ({ insert: () => Promise.reject(new TypeError('A mistake of ours.')) }),
    });
    const broken = new Operator(office.scene, { decorate: () => failing });
    await expect(broken.redrive(id)).rejects.toEqual(refusal('still_undecidable'));
    expect(await office.scene.content()).toEqual(before);
    await broken.close();
    await operator.redrive(id);
  });

  test('the database refuses even its deal: a redrive is told so, and a rejection closes it', async () => {
    const { trade, id } = await parked();
    const refusing = new DecoratedUnitOfWork(operator.unitOfWork, {
      deals: () => ({
        insertMissing: () => Promise.reject(new TerminalError('data_error', 'The database refuses a value.')),
      }),
    });
    const other = new Operator(office.scene, { decorate: () => refusing });
    const before = await office.scene.content();
    await expect(other.redrive(id)).rejects.toEqual(refusal('still_undecidable'));
    expect(await office.scene.content()).toEqual(before);
    expect(await other.reject(id)).toMatchObject({ changes: { closedMessage: sha256(trade.envelope) } });
    await other.close();
    expect(await office.scene.handler.handle([arrived(trade)])).toMatchObject({ accepted: 0, quarantined: 1 });
  });

  test('rejected: the same bytes are counted and not decided, however often they come', async () => {
    const { trade, id } = await parked();
    await operator.reject(id);
    expect(await office.scene.handler.handle([arrived(trade), arrived(trade)])).toMatchObject({
      accepted: 0,
      quarantined: 2,
    });
    expect(await scene.settlementOf(trade)).toBeUndefined();
    expect(await office.sql('SELECT occurrences FROM v402.quarantine WHERE id = $1', id)).toEqual([{ occurrences: 3 }]);
  });

  test('rejected while intake decides the same bytes: one of them comes first', async () => {
    const { trade, id } = await parked();
    const reached = new StopsAt('C1');
    const deciding = office.scene.handlerWith({ faults: reached }).handle([arrived(trade)]);
    await reached.reached;
    const rejecting = operator.reject(id);
    await office.scene.untilWaiting('operator');
    reached.release();
    expect(await deciding).toMatchObject({ accepted: 1 });
    // What is accepted cannot be closed any more: a redrive finds the duplicate and closes it as that.
    await expect(rejecting).rejects.toEqual(refusal('already_decided'));
    expect(await operator.redrive(id)).toMatchObject({ changes: { decision: 'duplicates' } });
  });

  test('decided by intake while an operator closes it: intake waits, and finds it closed', async () => {
    const { trade, id } = await parked();
    const reached = new StopsAt('C9');
    const closing = operator.handler({ faults: reached }).reject(id, { actor: 'olivia', reason: 'withdrawn' });
    await reached.reached;
    const deciding = office.scene.handler.handle([arrived(trade)]);
    await office.scene.untilWaiting('intake');
    reached.release();
    expect(await closing).toMatchObject({ changes: { closedMessage: sha256(trade.envelope) } });
    expect(await deciding).toMatchObject({ accepted: 0, quarantined: 1 });
    expect(await scene.settlementOf(trade)).toBeUndefined();
    expect(await office.sql('SELECT occurrences FROM v402.quarantine WHERE id = $1', id)).toEqual([{ occurrences: 2 }]);
  });
});

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

test('a parked stream: a redrive lets the relay try again, in the same order', async () => {
  const trade = await office.accept({}, ['seller']);
  const [event] = await office.unitOfWork
    .run((tx) => tx.events.unpublished([...Array(16).keys()], 1_000))
    .then((all) => all.filter(({ stream }) => stream === trade.contractId));
  await office.unitOfWork.run((tx) => tx.events.park(event!, 'record_too_large'));
  const one = await operator.caseOf(trade);
  expect(one).toMatchObject({ id: event!.id, reason: 'stream_parked', code: 'record_too_large' });
  await expect(operator.reject(one.id)).rejects.toEqual(refusal('cannot_reject'));
  await operator.redrive(trade.contractId);
  const waiting = await office.unitOfWork.run((tx) => tx.events.unpublished([...Array(16).keys()], 1_000));
  expect(waiting.map(({ id }) => id)).toContain(event!.id);
  await expect(operator.redrive(one.id)).rejects.toEqual(refusal('case_not_found'));
});

describe('two operators', () => {
  test('at the same moment: one wins, the other is told', async () => {
    const { first, second } = await conflict();
    const other = new Operator(office.scene);
    const outcomes = await Promise.allSettled([operator.release(second.contractId), other.reject(second.contractId)]);
    await other.close();
    const refused = outcomes.filter((each) => each.status === 'rejected');
    expect(refused).toMatchObject([
      { reason: { code: expect.stringMatching(/^(already_resolved|case_not_found)$/) as string } },
    ]);
    const current = await office.sql(
      'SELECT contract_id FROM v402.settlement WHERE deal_key = (SELECT deal_key FROM v402.settlement WHERE contract_id = $1) AND current',
      keyOf(first),
    );
    expect(current).toHaveLength(1);
    const entries = (await operator.audit()).filter(({ contractId }) => contractId === second.contractId);
    expect(entries).toHaveLength(1);
  });

  test('one of them behind the other’s lock: it finds the case resolved', async () => {
    const { second } = await conflict();
    const one = await operator.caseOf(second);
    const stops = new StopsAt('C9');
    const request = { actor: 'olivia', reason: 'checked' };
    const winning = operator.handler({ faults: stops }).reject(one.id, request);
    await stops.reached;
    const losing = operator.release(one.id);
    await office.scene.untilWaiting('operator');
    stops.release();
    await winning;
    await expect(losing).rejects.toEqual(refusal('already_resolved'));
  });

  test('guard removed: the second look under the lock. Both act on the same case', async () => {
    const negotiationId = randomUUID();
    const first = await office.accept({ negotiationId });
    const second = variant('second', { negotiationId, agreedAt: first.contract.agreedAt });
    await office.scene.handlerWith({ policy: { conflict: 'continue' } }).handle([arrived(second)]);
    const one = await operator.caseOf(second);
    const blind = new Operator(office.scene, {
      decorate: (real) => new DecoratedUnitOfWork(real, { cases: () => ({ lock: () => Promise.resolve(one) }) }),
    });
    await operator.reject(one.id);
    await blind.reject(one.id);
    await blind.close();
    expect((await operator.audit()).filter(({ subject }) => subject === one.id)).toHaveLength(2);
  });
});

describe('a crash at C9', () => {
  test('leaves nothing half done, and the same action succeeds afterwards', async () => {
    const { second } = await conflict();
    const before = await office.scene.content();
    const request = { actor: 'olivia', reason: 'checked' };
    const dying = operator.handler({ faults: new DiesOnceAt('C9') });
    await expect(dying.release(second.contractId, request, { orderChanged: false })).rejects.toMatchObject({
      code: 'process_died',
    });
    expect(await office.scene.content()).toEqual(before);
    await dying.release(second.contractId, request, { orderChanged: false });
    expect(await scene.settlementOf(second)).toEqual({ state: 'accepted', current: true });
  });

  test('its audit entry is in the same transaction: nobody sees one without the other', async () => {
    const { second } = await conflict();
    const length = (await operator.audit()).length;
    let seen = 0;
    const faults = new DoesAt('C9', async () => {
      seen = (await office.sql('SELECT FROM v402.audit_entry')).length;
    });
    await operator.handler({ faults }).reject(second.contractId, { actor: 'olivia', reason: 'checked' });
    expect([seen, (await operator.audit()).length]).toEqual([length, length + 1]);
  });
});

describe('a second person', () => {
  const request = { actor: 'olivia', reason: 'the parties confirmed it' };
  const approvalOver = { EUR: '600', '*': '0' };

  test('over the limit a release waits; another person executes it, and both are in the audit trail', async () => {
    const { first, second } = await conflict();
    const handler = operator.handler({ approvalOver });
    const asked = await handler.release(second.contractId, request, { orderChanged: false });
    expect(asked).toMatchObject({
      outcome: 'pending',
      audit: { action: 'request_release', details: { amount: '617.00 EUR' } },
    });
    expect(await scene.settlementOf(second)).toBeUndefined();
    await expect(handler.release(second.contractId, request, { orderChanged: false })).rejects.toEqual(
      refusal('approval_pending'),
    );
    const peters = scene.peter.handler({ approvalOver });
    // Another name does not make another person, nor does another login.
    await expect(handler.approve(asked.caseId, { actor: 'peter' })).rejects.toEqual(refusal('same_person'));
    await expect(peters.approve(asked.caseId, { actor: ' Olivia' })).rejects.toEqual(refusal('same_person'));
    expect(await scene.settlementOf(second)).toBeUndefined();

    expect(await peters.approve(asked.caseId, { actor: 'peter' })).toMatchObject({ outcome: 'done' });
    expect(await scene.settlementOf(first)).toEqual({ state: 'superseded', current: false });
    expect(await scene.settlementOf(second)).toEqual({ state: 'accepted', current: true });
    const entries = (await operator.audit()).filter(({ contractId }) => contractId === second.contractId);
    expect(entries.map(({ action, actor, login }) => [action, actor, login])).toEqual([
      ['request_release', 'olivia', 'v402_operator_login'],
      ['approve_release', 'peter', 'second_operator_login'],
    ]);
    expect(await operator.unitOfWork.run((tx) => tx.cases.approvals(asked.caseId))).toMatchObject([
      { requestedLogin: 'v402_operator_login', decidedLogin: 'second_operator_login', outcome: 'approved' },
    ]);
    await expect(peters.approve(asked.caseId, { actor: 'peter' })).rejects.toEqual(refusal('approval_not_found'));
  });

  test('at the limit nobody has to approve', async () => {
    const { second } = await conflict();
    const handler = operator.handler({ approvalOver: { EUR: '617.00' } });
    expect(await handler.release(second.contractId, request, { orderChanged: false })).toMatchObject({
      outcome: 'done',
    });
  });

  test('a redrive that lets a message in is no way around it', async () => {
    const negotiationId = randomUUID();
    const failing = new DecoratedUnitOfWork(office.unitOfWork, {
      deals: () => ({ insertMissing: () => Promise.reject(new TerminalError('data_error', '')) }),
    });
    const trade = variant('waits', { negotiationId, agreedAt: new Date(Date.now() - 5_000).toISOString() });
    await office.scene.handlerWith({ unitOfWork: failing }).handle([arrived(trade)]);
    const one = (await operator.cases()).find(({ rawDigest }) => rawDigest === sha256(trade.envelope));
    const handler = operator.handler({ approvalOver });
    expect(await handler.redrive(one!.id, request)).toMatchObject({ outcome: 'pending' });
    expect(await scene.peter.handler().approve(one!.id, { actor: 'peter' })).toMatchObject({
      changes: { decision: 'accepted' },
    });
  });

  test('a rejection withdraws what waits', async () => {
    const { second } = await conflict();
    const handler = operator.handler({ approvalOver });
    const { caseId } = await handler.release(second.contractId, request, { orderChanged: false });
    await operator.reject(caseId);
    await expect(scene.peter.handler().approve(caseId, { actor: 'peter' })).rejects.toEqual(
      refusal('approval_not_found'),
    );
    expect(await scene.settlementOf(second)).toBeUndefined();
  });

  test('one that has become impossible meanwhile is refused when it is approved', async () => {
    const { first, second } = await conflict();
    const handler = operator.handler({ approvalOver });
    const { caseId } = await handler.release(second.contractId, request, { orderChanged: false });
    scene.forged.add(first.contractId);
    await office.sql("UPDATE v402.order_placement SET state = 'placing' WHERE contract_id = $1", keyOf(first));
    await expect(scene.peter.handler().approve(caseId, { actor: 'peter' })).rejects.toEqual(refusal('already_started'));
  });

  test('nobody is asked to approve what cannot be done', async () => {
    const system = new ScriptedOrderSystem();
    system.script.create = () => Promise.resolve({ outcome: 'rejected', code: 'sku_unknown', message: '' });
    const refused = await office.accept({}, ['seller']);
    await office.orders(system).handle();
    system.script = {};
    const base = await office.accept({}, ['seller']);
    await office.orders(system).handle();
    const { negotiationId, agreedAt } = base.contract;
    const amendment = variant('amended', { negotiationId, agreedAt, supersedes: base.contractId });
    await office.scene.handlerWith({ policy: { servedParties: [SELLER] } }).handle([arrived(amendment)]);
    const { second: expired } = await conflict();
    await office.sql(
      "UPDATE v402.decision SET arrival = '9999-01-01' WHERE contract_id = $1 AND outcome = 'quarantined'",
      keyOf(expired),
    );
    scene.forged.add(expired.contractId);

    const before = await office.scene.content();
    const handler = operator.handler({ approvalOver });
    const release = (id: string, orderChanged: boolean): Promise<unknown> =>
      handler.release(id, request, { orderChanged });
    await expect(release(refused.contractId, false)).rejects.toEqual(refusal('use_redrive'));
    await expect(release(amendment.contractId, false)).rejects.toEqual(refusal('order_change_unconfirmed'));
    await expect(release(expired.contractId, false)).rejects.toEqual(refusal('contract_refused'));
    expect(await office.scene.content()).toEqual(before);
    expect(await release(amendment.contractId, true)).toMatchObject({ outcome: 'pending' });
  });

  test('a request for something else takes the place of the one that waits, and both are in the audit trail', async () => {
    const { second } = await conflict();
    const handler = operator.handler({ approvalOver });
    const wrong = await handler.release(second.contractId, request, { orderChanged: true });
    const right = await handler.release(second.contractId, request, { orderChanged: false });
    if (wrong.outcome !== 'pending' || right.outcome !== 'pending') throw new Error('Both wait for a second person.');
    expect(right.audit.details).toMatchObject({ approval: right.approvalId, withdrawn: wrong.approvalId });
    const peters = scene.peter.handler({ approvalOver });
    await expect(peters.approve(wrong.approvalId, { actor: 'peter' })).rejects.toEqual(refusal('approval_not_found'));
    expect(await peters.approve(right.approvalId, { actor: 'peter' })).toMatchObject({ outcome: 'done' });
  });

  test('an approval behind another action’s lock finds its request withdrawn, and approves nothing else', async () => {
    const { second } = await conflict();
    const asked = await operator.handler({ approvalOver }).release(second.contractId, request, { orderChanged: true });
    const stops = new StopsAt('C9');
    const askingAgain = operator
      .handler({ approvalOver, faults: stops })
      .release(second.contractId, request, { orderChanged: false });
    await stops.reached;
    const approving = scene.peter.handler({ approvalOver }).approve(asked.caseId, { actor: 'peter' });
    await office.scene.untilWaiting('operator');
    stops.release();
    await askingAgain;
    await expect(approving).rejects.toEqual(refusal('approval_not_found'));
    expect(await scene.settlementOf(second)).toBeUndefined();
  });

  test('an approval waits for the deal before it locks anything else', async () => {
    const { first, second } = await conflict();
    const { caseId } = await operator
      .handler({ approvalOver })
      .release(second.contractId, request, { orderChanged: false });
    const other = new pg.Client({ connectionString: office.database.adminUrl });
    await other.connect();
    await other.query('BEGIN');
    await other.query(
      'SELECT FROM v402.deal WHERE key = (SELECT deal_key FROM v402.settlement WHERE contract_id = $1) FOR UPDATE',
      [keyOf(first)],
    );
    const approving = scene.peter.handler({ approvalOver }).approve(caseId, { actor: 'peter' });
    await office.scene.untilWaiting('operator');
    const locked = await other.query('SELECT FROM v402.approval WHERE case_id = $1 FOR UPDATE SKIP LOCKED', [caseId]);
    await other.query('COMMIT');
    await other.end();
    expect(locked.rowCount).toBe(1);
    expect(await approving).toMatchObject({ outcome: 'done' });
  });
});

test.each([
  ['actor', { actor: ' ', reason: 'checked' }, 'actor_invalid'],
  ['actor', { actor: 'o'.repeat(129), reason: 'checked' }, 'actor_invalid'],
  ['reason', { actor: 'olivia', reason: '' }, 'reason_invalid'],
  ['reason', { actor: 'olivia', reason: 'red \u001b[31m' }, 'reason_invalid'],
  ['reason', { actor: 'olivia', reason: 'half \ud800' }, 'reason_invalid'],
])('error: a %s that says nothing, or that a terminal would obey: %j', async (_, request, code) => {
  await expect(operator.handler().reject(randomUUID(), request)).rejects.toEqual(refusal(code));
});

test('served parties decide what a released contract begins', async () => {
  const { second } = await conflict();
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
