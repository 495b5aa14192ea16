import type { Side } from '@v402/domain';
import fc from 'fast-check';
import { endToEndId, eventId, handlerSource, idempotencyKey } from './identity.js';

type Components = Parameters<typeof eventId>;

/** Short texts of few characters, so that runs often differ only in where a text ends. */
const text = fc.string({ unit: fc.constantFrom('a', '"', ',', 'é'), maxLength: 2 });

const components: fc.Arbitrary<Components> = fc.tuple(
  text,
  text,
  fc.constantFrom<Side | undefined>('buyer', 'seller', undefined),
  text,
  text,
  fc.integer({ min: 1, max: 12 }),
);

const base: Components = ['urn:v402:handler:a', 'c'.repeat(64), 'seller', 'org.v402.order.created.v1', 'order', 1];

describe('eventId', () => {
  test('is pinned: a change would give every published event a second id', () => {
    expect(eventId(...base)).toBe('3ece1753-3a12-58d6-8877-84f12fe3c679');
  });

  test.each([
    ['source', 0, 'urn:v402:handler:b'],
    ['subject', 1, 'd'.repeat(64)],
    ['side', 2, 'buyer'],
    ['no side', 2, undefined],
    ['type', 3, 'org.v402.order.rejected.v1'],
    ['subjectId', 4, 'order-2'],
    ['n', 5, 2],
  ])('behavior: differs with another %s', (_, index, value) => {
    expect(eventId(...(base.with(index, value) as Components))).not.toBe(eventId(...base));
  });

  test('behavior: text cannot move from one component into the next', () => {
    expect(eventId('a', 'b","c', undefined, 't', 's', 1)).not.toBe(eventId('a","b', 'c', undefined, 't', 's', 1));
  });

  test('property: equal exactly for equal components', () => {
    fc.assert(
      fc.property(components, components, (a, b) => {
        expect(eventId(...a) === eventId(...b)).toBe(JSON.stringify(a) === JSON.stringify(b));
        expect(eventId(...a)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      }),
    );
  });
});

describe('idempotencyKey', () => {
  const work = { work: 'payment', side: 'buyer', contractId: 'c'.repeat(64), id: 'p1', attempt: 1 } as const;

  test('is pinned: a change would have a payment made twice', () => {
    expect(idempotencyKey(work)).toBe('a15c8dce-f3b4-5733-b96c-05a9921904ed');
  });

  test.each([
    { work: 'delivery' },
    { work: 'invoice' },
    { side: 'seller' },
    { contractId: 'd'.repeat(64) },
    { id: 'p2' },
    { attempt: 2 },
  ] as const)('behavior: differs with %j', (other) => {
    expect(idempotencyKey({ ...work, ...other })).not.toBe(idempotencyKey(work));
  });
});

describe('endToEndId', () => {
  const shortRef = 'K069S90F0NGD0ENXGF90EMSF39';

  test('default', () => {
    expect(endToEndId(shortRef, 7, 1)).toBe(`${shortRef}-7`);
    expect(endToEndId(shortRef, 7, 2)).toBe(`${shortRef}-7-2`);
  });

  test('property: fits ISO 20022 and is unique per leg and attempt', () => {
    const leg = fc.integer({ min: 1, max: 100 });
    const attempt = fc.integer({ min: 1, max: 9999 });
    fc.assert(
      fc.property(leg, attempt, leg, attempt, (legA, attemptA, legB, attemptB) => {
        const [a, b] = [endToEndId(shortRef, legA, attemptA), endToEndId(shortRef, legB, attemptB)];
        expect(a).toMatch(/^[0-9A-Z-]{1,35}$/);
        expect(a === b).toBe(legA === legB && attemptA === attemptB);
      }),
    );
    expect(endToEndId(shortRef, 100, 9999)).toHaveLength(35);
  });

  test('behavior: no two of 100 legs and 200 attempts share one', () => {
    const ids = Array.from({ length: 20_000 }, (_, i) => endToEndId(shortRef, (i % 100) + 1, Math.floor(i / 100) + 1));
    expect(new Set(ids).size).toBe(20_000);
  });

  test.each([
    [shortRef, 0, 1],
    [shortRef, 101, 1],
    [shortRef, 1, 0],
    [shortRef, 1, 10_000],
    [shortRef, 1.5, 1],
    ['short', 1, 1],
  ])('error: end_to_end_id_invalid for %s, leg %d, attempt %d', (ref, leg, attempt) => {
    expect(() => endToEndId(ref, leg, attempt)).toThrow(
      expect.objectContaining({ kind: 'terminal', code: 'end_to_end_id_invalid' }) as Error,
    );
  });
});

describe('handlerSource', () => {
  test('default', () => {
    expect(handlerSource('emea-1')).toBe('urn:v402:handler:emea-1');
  });

  test.each(['', 'a b', 'a/b', 'ä', 'x'.repeat(65)])('error: instance_id_invalid for %j', (instanceId) => {
    expect(() => handlerSource(instanceId)).toThrow(expect.objectContaining({ code: 'instance_id_invalid' }) as Error);
  });
});
