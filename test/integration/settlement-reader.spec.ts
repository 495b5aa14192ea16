import { PgUnitOfWork, SettlementReader } from '@v402/persistence';
import pg from 'pg';
import { createTestDatabase, testPostgresUrl, type TestDatabase } from '../support/database.js';
import {
  aDeal,
  aDecision,
  aDelivery,
  aLeg,
  anEquivocation,
  anEvent,
  anOrder,
  aRawMessage,
  aRejection,
  aSettlement,
  insertSettlement,
  MOMENT,
  sha256,
} from '../support/records.js';

/** Real: PostgreSQL, read through Prisma as the role of the services. */
let database: TestDatabase;
let unitOfWork: PgUnitOfWork;
let reader: SettlementReader;

const settlement = aSettlement('shown', {
  position: { settlement: 1, payments: 1, deliveries: 0, lastEventAt: MOMENT },
});
const { contractId } = settlement;
const accepted = aRawMessage('accepted');

beforeAll(async () => {
  database = await createTestDatabase();
  // A server that is elsewhere moves nothing that people see.
  const admin = new pg.Client({ connectionString: database.adminUrl });
  await admin.connect();
  await admin.query(`ALTER DATABASE ${database.name} SET timezone = 'Pacific/Kiritimati'`);
  await admin.end();
  unitOfWork = new PgUnitOfWork({ url: database.appUrl, applicationName: 'under test' });
  reader = new SettlementReader({ url: database.appUrl, applicationName: 'reader under test' });
  await unitOfWork.run(async (tx) => {
    await tx.deals.insertMissing([aDeal('shown')]);
    await tx.settlements.insert([settlement]);
    await insertSettlement(tx, 'another', { state: 'ordered' });
    await tx.settlements.countDuplicates(new Map([[contractId, 3]]));
    await tx.orders.insert([
      anOrder(contractId, { state: 'created', orderNumber: 'SO-1', orderedAt: MOMENT, attempt: 1 }),
      anOrder(contractId, { side: 'buyer', state: 'rejected', code: 'sku_unknown' }),
    ]);
    await tx.legs.insert([
      aLeg(contractId, { amount: '400.00' }),
      aLeg(contractId, { legId: 'leg-2', number: 2, state: 'scheduled', dueDate: '2026-12-06' }),
    ]);
    await tx.deliveries.insert([aDelivery(contractId, { notBefore: '0000-02-29', notAfter: '9999-12-31' })]);
    await tx.deals.placeHolds([
      {
        id: '7b0e4b3e-4bb1-4b43-8a5a-3ec9f5b0a402',
        dealKey: settlement.dealKey,
        contractId,
        cause: { reason: 'order_rejected', evidence: { side: 'buyer', code: 'sku_unknown' } },
        placedBy: 'orders',
      },
    ]);
    const [one, two] = [aRawMessage('rejected'), aRawMessage('rejected too')];
    await tx.evidence.keepRaw([accepted, one, two]);
    await tx.evidence.recordDecisions([
      aDecision(accepted, { contractId }),
      aDecision(one, { outcome: 'rejected', code: 'expired' }),
    ]);
    await tx.evidence.recordRejections([aRejection(one), aRejection(two, { occurrences: 4 })]);
    await tx.evidence.quarantine([anEquivocation(sha256('equivocation'))]);
    await tx.events.append([
      anEvent(contractId),
      anEvent(contractId, {
        topic: 'v402.payments.v1',
        type: 'org.v402.payment.scheduled.v1',
        occurredAt: MOMENT + 1n,
      }),
      anEvent(sha256('equivocation'), { sequence: undefined }),
    ]);
    await tx.events.markPublished(await tx.events.unpublished([...Array(16).keys()], 1));
  });
});

afterAll(async () => {
  await reader.close();
  await unitOfWork.close();
  await database.drop();
});

test('find shows one settlement with all that belongs to it', async () => {
  expect(await reader.find(contractId)).toEqual({
    contractId,
    shortRef: settlement.shortRef,
    orderReference: settlement.orderReference,
    state: 'accepted',
    current: true,
    supersedes: undefined,
    currency: 'EUR',
    total: '652',
    agreedAt: '2026-11-21T10:15:30.120Z',
    expiresAt: '2026-12-21T10:15:30.000Z',
    acceptedAt: '2026-11-22T10:15:30.123Z',
    duplicates: 3,
    deal: { key: settlement.dealKey, negotiationId: 'shown', buyer: aDeal('').buyer, seller: aDeal('').seller },
    orders: [
      expect.objectContaining({ side: 'buyer', state: 'rejected', code: 'sku_unknown', orderNumber: undefined }),
      expect.objectContaining({
        side: 'seller',
        state: 'created',
        orderNumber: 'SO-1',
        orderedAt: '2026-11-22T10:15:30.123Z',
      }),
    ],
    legs: [
      expect.objectContaining({ legId: 'leg-1', state: 'waiting', amount: '400', dueDate: undefined }),
      expect.objectContaining({ legId: 'leg-2', state: 'scheduled', amount: '652', dueDate: '2026-12-06' }),
    ],
    deliveries: [expect.objectContaining({ state: 'waiting', notBefore: 'in the year 0000', notAfter: '9999-12-31' })],
    holds: [expect.objectContaining({ reason: 'order_rejected', placedBy: 'orders', releasedBy: undefined })],
    decisions: [
      expect.objectContaining({ outcome: 'accepted', rawDigest: accepted.digest, offset: 1n, topic: 'contracts' }),
    ],
    events: [
      expect.objectContaining({ type: 'org.v402.settlement.accepted.v1', sequence: 1, published: true }),
      expect.objectContaining({ type: 'org.v402.payment.scheduled.v1', sequence: 1, published: false }),
    ],
    actions: [],
  });
});

test('find takes a short reference, and capital or small letters', async () => {
  expect(await reader.find(settlement.shortRef.toLowerCase())).toMatchObject({ contractId });
  expect(await reader.find(contractId.toUpperCase())).toMatchObject({ contractId });
  expect(await reader.find('no such reference')).toBeUndefined();
  expect(await reader.find(sha256('absent'))).toBeUndefined();
});

test('figures count everything', async () => {
  expect(await reader.figures()).toEqual({
    settlementsByState: { accepted: 1, ordered: 1 },
    ordersByState: { created: 1, rejected: 1 },
    legsByState: { scheduled: 1, waiting: 1 },
    deliveriesByState: { waiting: 1 },
    decisionsByOutcome: { accepted: 1, rejected: 1 },
    rejectionsByCode: { expired: 2 },
    rejectedMessagesByCode: { expired: 5 },
    quarantinedByReason: { equivocation: 1 },
    openHoldsByReason: { order_rejected: 1 },
    duplicates: 3,
    unpublishedEvents: 2,
    parkedStreams: 0,
  });
});

test('error: a database that is away', async () => {
  const url = new URL(database.appUrl);
  url.port = '1';
  const nowhere = new SettlementReader({ url: url.href, applicationName: 'nowhere' });
  await expect(nowhere.figures()).rejects.toMatchObject({ kind: 'retryable', code: 'database_unavailable' });
  await nowhere.close();
});

test('error: a password that is refused, and a database that is not migrated', async () => {
  const wrong = new URL(database.appUrl);
  wrong.password = 'wrong';
  const stranger = new SettlementReader({ url: wrong.href, applicationName: 'stranger' });
  await expect(stranger.figures()).rejects.toMatchObject({ code: 'database_authentication_failed' });
  await stranger.close();
  const empty = new SettlementReader({ url: testPostgresUrl(), applicationName: 'empty' });
  await expect(empty.figures()).rejects.toMatchObject({ code: 'database_not_migrated' });
  await empty.close();
});

test('behavior: connections that are cut off are replaced', async () => {
  const admin = new pg.Client({ connectionString: database.adminUrl });
  await admin.connect();
  await reader.figures();
  const sql =
    "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'reader under test'";
  expect((await admin.query(sql)).rowCount).toBeGreaterThan(0);
  // Their ends came before this answer: they are read in this turn of the event loop.
  await new Promise(setImmediate);
  await admin.end();
  await expect(reader.figures()).resolves.toMatchObject({ duplicates: 3 });
});
