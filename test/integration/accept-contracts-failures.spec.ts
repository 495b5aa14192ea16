import type { InboundMessage, UnitOfWork } from '@v402/application';
import { DecoratedUnitOfWork } from '@v402/testing';
import { agreed, CONTRACTS, IntakeScene, variant, type AgreedTrade } from '../support/intake-scene.js';
import { sha256 } from '../support/records.js';

/** Failures that nobody foresaw, of one message among others. Real: PostgreSQL, signatures and trust registry. */
let scene: IntakeScene;

beforeAll(async () => {
  scene = await IntakeScene.open();
});

afterAll(async () => {
  await scene.close();
});

beforeEach(() => {
  scene.alarms.take();
});

/** How often a message may fail before it is parked: four times it comes again, the fifth time it is set aside. */
const LAST_ATTEMPT = 5;

/** A mistake that only the contracts of one negotiation bring to light, for so many times as it is said. */
const failingFor = (negotiationId: string, times = Infinity): UnitOfWork => {
  let left = times;
  return new DecoratedUnitOfWork(scene.unitOfWork, {
    deals: (real) => ({
      insertMissing: (deals) => {
        if (left > 0 && deals.some((deal) => deal.negotiationId === negotiationId)) {
          left -= 1;
          throw new TypeError('A mistake of ours.');
        }
        return real.insertMissing(deals);
      },
    }),
  });
};

const tradesOf = (name: string, count: number): AgreedTrade[] =>
  Array.from({ length: count }, (_, index) => agreed({ negotiationId: `${name}-${index}` }));

const onPartition = (partition: number, values: readonly (Uint8Array | string)[], first = 0): InboundMessage[] =>
  values.map((value, index) =>
    scene.message(value, { coordinates: { topic: CONTRACTS, partition, offset: BigInt(first + index) } }),
  );

const acceptedOf = async (trades: readonly AgreedTrade[]): Promise<number[]> => {
  const settled = await Promise.all(trades.map(({ contractId }) => scene.of('settlement', contractId)));
  return settled.map((rows) => rows.length);
};

const ofDigest = (table: string, value: Uint8Array): Promise<Record<string, unknown>[]> =>
  scene.sql(`SELECT * FROM v402.${table} WHERE ${table === 'raw_message' ? 'digest' : 'raw_digest'} = $1`, [
    Buffer.from(sha256(value), 'hex'),
  ]);

const nextOffset = async (partition: number): Promise<unknown> =>
  (await scene.sql('SELECT next_offset FROM v402.input_offset WHERE partition = $1', [partition]))[0]?.['next_offset'];

describe('an error that nobody foresaw', () => {
  test('of one message: it comes again a few times, then it is parked with its bytes, and all others are accepted', async () => {
    const trades = tradesOf('unforeseen', 7);
    const poison = trades[3]!;
    const batch = onPartition(
      20,
      trades.map(({ envelope }) => envelope),
    );
    const handler = scene.handlerWith({ unitOfWork: failingFor('unforeseen-3') });

    for (let attempt = 1; attempt < LAST_ATTEMPT; attempt += 1) {
      await expect(handler.handle(batch)).rejects.toThrow(TypeError);
      // What came before it is committed; what follows it may build on it, so it is not overtaken.
      expect(await acceptedOf(trades)).toEqual([1, 1, 1, 0, 0, 0, 0]);
      expect(await ofDigest('quarantine', poison.envelope)).toEqual([]);
    }
    expect(scene.alarms.take()).toEqual([]);

    expect(await handler.handle(batch)).toEqual({
      accepted: 3,
      duplicates: 3,
      rejected: 0,
      quarantined: 0,
      undecidable: 1,
      refusals: new Map(),
    });
    expect(await acceptedOf(trades)).toEqual([1, 1, 1, 0, 1, 1, 1]);
    expect(await ofDigest('quarantine', poison.envelope)).toMatchObject([
      { reason: 'undecidable_message', code: 'undecidable_message', contract_id: null, occurrences: 1 },
    ]);
    expect(await ofDigest('raw_message', poison.envelope)).toMatchObject([
      { bytes: Buffer.from(poison.envelope), truncated: false },
    ]);
    expect(await ofDigest('decision', poison.envelope)).toMatchObject([
      { outcome: 'undecidable', code: 'undecidable_message', partition: 20, kafka_offset: '3' },
    ]);
    expect(await nextOffset(20)).toBe('7');
    expect(scene.alarms.take()).toEqual([
      { code: 'undecidable_message', context: { reason: 'unexpected_error', digest: sha256(poison.envelope) } },
    ]);
  });

  test('of two messages of a batch: each is tried a few times and parked, and the first waits no second time', async () => {
    const trades = tradesOf('two-of', 4);
    const failing = failingFor('two-of-1');
    const both = new DecoratedUnitOfWork(failing, {
      deals: (real) => ({
        insertMissing: (deals) => {
          if (deals.some(({ negotiationId }) => negotiationId === 'two-of-2'))
            throw new TypeError('A mistake of ours.');
          return real.insertMissing(deals);
        },
      }),
    });
    const batch = onPartition(
      25,
      trades.map(({ envelope }) => envelope),
    );
    const handler = scene.handlerWith({ unitOfWork: both });
    for (let attempt = 1; attempt < 2 * LAST_ATTEMPT - 1; attempt += 1) {
      await expect(handler.handle(batch)).rejects.toThrow(TypeError);
    }
    expect(await handler.handle(batch)).toMatchObject({ duplicates: 1, undecidable: 2, accepted: 1 });
    expect(await acceptedOf(trades)).toEqual([1, 0, 0, 1]);
    expect(scene.alarms.take().map(({ code, context }) => [code, context['digest']])).toEqual(
      [1, 2].map((index) => ['undecidable_message', sha256(trades[index]!.envelope)]),
    );
  });

  test('of every message: one is parked, then a fault of the whole is waited for much longer; one that is decided ends it', async () => {
    const trades = tradesOf('whole', 4);
    let isBroken = true;
    const unitOfWork = new DecoratedUnitOfWork(scene.unitOfWork, {
      deals: (real) => ({
        insertMissing: (deals) => {
          if (isBroken) throw new TypeError('A mistake of ours.');
          return real.insertMissing(deals);
        },
      }),
    });
    const handler = scene.handlerWith({ unitOfWork });
    const batches = trades.map(({ envelope }, index) => onPartition(26, [envelope], index));
    const triesToPark = async (index: number): Promise<number> => {
      for (let tries = 1; ; tries += 1) {
        const done = await handler.handle(batches[index]!).catch(() => undefined);
        if (done !== undefined) return tries;
      }
    };
    expect(await triesToPark(0)).toBe(LAST_ATTEMPT);
    expect(await triesToPark(1)).toBe(LAST_ATTEMPT * 12);
    isBroken = false;
    expect(await handler.handle(batches[2]!)).toMatchObject({ accepted: 1 });
    isBroken = true;
    expect(await triesToPark(3)).toBe(LAST_ATTEMPT);
    scene.alarms.take();
  });

  test('that passes: the message is accepted when it comes again, and nothing is parked', async () => {
    const { contractId, envelope } = agreed({ negotiationId: 'passing' });
    const batch = onPartition(21, [envelope]);
    const handler = scene.handlerWith({ unitOfWork: failingFor('passing', LAST_ATTEMPT - 1) });
    for (let attempt = 1; attempt < LAST_ATTEMPT; attempt += 1) {
      await expect(handler.handle(batch)).rejects.toThrow(TypeError);
    }
    expect(await handler.handle(batch)).toMatchObject({ accepted: 1, undecidable: 0 });
    expect(await scene.of('settlement', contractId)).toHaveLength(1);
    expect(scene.alarms.take()).toEqual([]);
  });

  test('of the verification, before any lock: it parks its message alike', async () => {
    const [before, poison, after] = tradesOf('verified', 3) as [AgreedTrade, AgreedTrade, AgreedTrade];
    const verify = scene.verifier.verify.bind(scene.verifier);
    scene.verifier.verify = (identified, arrival) => {
      if (identified.contractId === poison.contractId) throw new TypeError('A mistake of ours.');
      return verify(identified, arrival);
    };
    const { handler } = scene;
    const batch = onPartition(
      22,
      [before, poison, after].map(({ envelope }) => envelope),
    );
    for (let attempt = 1; attempt < LAST_ATTEMPT; attempt += 1) {
      await expect(handler.handle(batch)).rejects.toThrow(TypeError);
    }
    expect(await handler.handle(batch)).toMatchObject({ duplicates: 1, undecidable: 1, accepted: 1 });
    scene.verifier.verify = verify;
    expect(await acceptedOf([before, poison, after])).toEqual([1, 0, 1]);
  });
});

test('a unique key that refuses one message, as a backstop does, parks that message alone and at once', async () => {
  const stored = agreed({ negotiationId: 'hidden' });
  await scene.handle(stored.envelope);
  // As if the deal's lock had failed: the deal looks as if it had no contract yet.
  const unitOfWork = new DecoratedUnitOfWork(scene.unitOfWork, {
    settlements: (real) => ({
      lockOfDeals: async (keys) =>
        (await real.lockOfDeals(keys)).filter(({ contractId }) => contractId !== stored.contractId),
    }),
  });
  const second = variant('second', { negotiationId: 'hidden' });
  const others = tradesOf('beside-hidden', 4);
  const envelopes = [others[0]!, others[1]!, second, others[2]!, others[3]!].map(({ envelope }) => envelope);
  const counts = await scene.handlerWith({ unitOfWork }).handle(onPartition(23, envelopes));
  expect(counts).toMatchObject({ accepted: 4, undecidable: 1 });
  expect(await acceptedOf([...others, second])).toEqual([1, 1, 1, 1, 0]);
  expect(await ofDigest('quarantine', second.envelope)).toMatchObject([{ reason: 'undecidable_message' }]);
  expect(scene.alarms.take()).toEqual([
    {
      code: 'undecidable_message',
      context: {
        reason: 'data_error',
        sqlState: '23505',
        constraint: 'settlement_current',
        table: 'settlement',
        digest: sha256(second.envelope),
      },
    },
  ]);
});

test('messages parked at the end of a batch are no gap for the process that takes the next one', async () => {
  const trades = tradesOf('at-the-end', 4);
  const unitOfWork = new DecoratedUnitOfWork(scene.unitOfWork, {
    deals: (real) => ({
      insertMissing: async (deals) => {
        await real.insertMissing(deals);
        if (!deals.some(({ negotiationId }) => /^at-the-end-[123]$/.test(negotiationId))) return;
        // A key of the database refuses them.
        await real.insertMissing([{ ...deals[0]!, key: '00' }]);
      },
    }),
  });
  const envelopes = trades.map(({ envelope }) => envelope);
  const counts = await scene.handlerWith({ unitOfWork }).handle(onPartition(24, envelopes, 10));
  expect(counts).toMatchObject({ accepted: 1, undecidable: 3 });
  expect(await nextOffset(24)).toBe('14');
  scene.alarms.take();
  await scene.handlerWith().handle(onPartition(24, ['the next one'], 14));
  expect(scene.alarms.take()).toEqual([]);
});
