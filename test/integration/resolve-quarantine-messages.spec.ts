import { randomUUID } from 'node:crypto';
import { TerminalError } from '@v402/domain';
import { DecoratedUnitOfWork } from '@v402/testing';
import pg from 'pg';
import type { BackOffice } from '../support/back-office.js';
import { variant, type AgreedTrade } from '../support/intake-scene.js';
import { keyOf, OperationsScene, refusal } from '../support/operations-scene.js';
import { Operator } from '../support/operator.js';
import { sha256 } from '../support/records.js';
import { StopsAt } from '../support/seams.js';

/** What could not be decided, or not be published. Real: PostgreSQL with the operators' own role, intake with signatures. */
let scene: OperationsScene;
let office: BackOffice;
let operator: Operator;

beforeAll(async () => {
  scene = await OperationsScene.open();
  ({ office, operator } = scene);
});
beforeEach(() => office.dropWork());
afterAll(() => scene.close());

describe('a message that could not be decided', () => {
  /** Takes a message in while a mistake of ours keeps it from being decided. */
  async function park(trade: AgreedTrade): Promise<void> {
    const failing = new DecoratedUnitOfWork(office.unitOfWork, {
      deals: () => ({
        insertMissing: () => Promise.reject(new TerminalError('data_error', 'The database refuses a value.')),
      }),
    });
    const counts = await office.scene.handlerWith({ unitOfWork: failing }).handle([scene.arrived(trade)]);
    expect(counts).toMatchObject({ undecidable: 1 });
  }

  async function parked(): Promise<{ trade: AgreedTrade; id: string }> {
    const negotiationId = randomUUID();
    const trade = variant('parked', { negotiationId, agreedAt: new Date(Date.now() - 5_000).toISOString() });
    await park(trade);
    const one = (await operator.cases()).find(({ rawDigest }) => rawDigest === sha256(trade.envelope));
    return { trade, id: one!.id };
  }

  /** Makes a parked contract one that had expired when it came. */
  async function expire(trade: AgreedTrade): Promise<void> {
    scene.forged.add(trade.contractId);
    await office.sql(
      "UPDATE v402.decision SET arrival = '9999-01-01' WHERE raw_digest = decode($1, 'hex')",
      sha256(trade.envelope),
    );
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
      expect(await office.scene.handler.handle([scene.arrived(trade)])).toMatchObject({ duplicates: 1 });
    },
  );

  test('a redrive after its contract has expired decides as it would have then', async () => {
    const { trade, id } = await parked();
    // Its arrival counts, not the moment at which an operator finds the time.
    await expire(trade);
    expect(await operator.redrive(id)).toMatchObject({ changes: { decision: 'rejected' } });
    expect(await office.sql('SELECT code FROM v402.rejection WHERE contract_id = $1', keyOf(trade))).toEqual([
      { code: 'expired' },
    ]);
  });

  test('parked again after it was decided: another case, announced as well; one that is open is only counted', async () => {
    const { trade, id } = await parked();
    // Refused by when it came first; its sender sends it again, and it comes in time then.
    await expire(trade);
    expect(await operator.redrive(id)).toMatchObject({ changes: { decision: 'rejected' } });
    await park(trade);
    await park(trade);
    const rawDigest = sha256(trade.envelope);
    const [again, ...more] = (await operator.cases()).filter((one) => one.rawDigest === rawDigest);
    expect(more).toEqual([]);
    expect(again!.id).not.toBe(id);
    expect(
      await office.sql(
        'SELECT occurrences FROM v402.quarantine WHERE raw_digest = $1 ORDER BY quarantined_at',
        keyOf({ contractId: rawDigest }),
      ),
    ).toEqual([{ occurrences: 1 }, { occurrences: 2 }]);
    expect(
      await office.sql(
        "SELECT count(DISTINCT id)::int AS n FROM v402.event WHERE stream = $1 AND type LIKE '%quarantined%'",
        keyOf({ contractId: rawDigest }),
      ),
    ).toEqual([{ n: 2 }]);
    expect(await operator.redrive(again!.id)).toMatchObject({ changes: { decision: 'accepted' } });
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
    expect(await office.scene.handler.handle([scene.arrived(trade)])).toMatchObject({ accepted: 0, quarantined: 1 });
  });

  test('rejected: the same bytes are counted and not decided, however often they come', async () => {
    const { trade, id } = await parked();
    await operator.reject(id);
    expect(await office.scene.handler.handle([scene.arrived(trade), scene.arrived(trade)])).toMatchObject({
      accepted: 0,
      quarantined: 2,
    });
    expect(await scene.settlementOf(trade)).toBeUndefined();
    expect(await office.sql('SELECT occurrences FROM v402.quarantine WHERE id = $1', id)).toEqual([{ occurrences: 3 }]);
  });

  test('rejected while intake decides the same bytes: one of them comes first', async () => {
    const { trade, id } = await parked();
    const reached = new StopsAt('C1');
    const deciding = office.scene.handlerWith({ faults: reached }).handle([scene.arrived(trade)]);
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
    const deciding = office.scene.handler.handle([scene.arrived(trade)]);
    await office.scene.untilWaiting('intake');
    reached.release();
    expect(await closing).toMatchObject({ changes: { closedMessage: sha256(trade.envelope) } });
    expect(await deciding).toMatchObject({ accepted: 0, quarantined: 1 });
    expect(await scene.settlementOf(trade)).toBeUndefined();
    expect(await office.sql('SELECT occurrences FROM v402.quarantine WHERE id = $1', id)).toEqual([{ occurrences: 2 }]);
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
