import { setTimeout as sleep } from 'node:timers/promises';
import { RetryableError } from '@v402/domain';
import { buildOrderDraft, ScriptedOrderSystem, type OrderScript } from '@v402/testing';
import type { CreateOutcome } from '../ports/order-system.js';
import type { OrderCase } from './order-case.js';
import { createOrder, lookUpOrder, preflightOrder } from './order-system-calls.js';

const draft = buildOrderDraft();
const LIMITS = { callTimeoutMs: 1_000, maxLookUps: 3 };
const away = new RetryableError('away', 'The order system is away.');
const never = new Promise<never>(() => undefined);
const failing = (error: Error) => (): Promise<never> => Promise.reject(error);

const orderCase = (attempts = 1): OrderCase => ({
  claim: {
    id: 1n,
    kind: 'order',
    contractId: draft.contractId,
    side: 'seller',
    subjectId: '',
    epoch: 1,
    attempts,
    leaseUntil: 1_795_342_530_123_457n,
  },
  settlement: {
    contractId: draft.contractId,
    dealKey: '0'.repeat(64),
    current: true,
    state: 'ordering',
    shortRef: draft.reference,
    orderReference: draft.reference,
    canonical: new Uint8Array(),
    traceparent: undefined,
    position: { settlement: 0, payments: 0, deliveries: 0, lastEventAt: undefined },
  },
  contract: draft.contract,
  placement: {
    contractId: draft.contractId,
    side: 'seller',
    state: 'placing',
    attempt: 4,
    unknowns: 0,
    lookUpNotBefore: undefined,
    orderSystem: undefined,
    orderNumber: undefined,
    orderUrl: undefined,
    code: undefined,
    orderedAt: undefined,
    redrives: 0,
    unknownsBefore: 0,
    adoptedFrom: undefined,
  },
  draft,
});

let system: ScriptedOrderSystem;
beforeEach(() => {
  system = new ScriptedOrderSystem();
});

const create = (remainingMs = 1_000): ReturnType<typeof createOrder> => createOrder(system, orderCase(), remainingMs);
const answered = (outcome: CreateOutcome): void => {
  system.script.create = () => Promise.resolve(outcome);
};

describe('create', () => {
  test('default: is asked with the attempt of the intent, and says what was created', async () => {
    expect(await create()).toEqual({ kind: 'created', order: { orderNumber: 'S-1' } });
    expect(system.creates).toEqual([4]);
  });

  test('behavior: the adapter is told its deadline', async () => {
    let told: AbortSignal | undefined;
    system.script.create = (_, { signal }) => {
      told = signal;
      return Promise.resolve({ outcome: 'unknown', code: 'reset' });
    };
    await create(40);
    expect(told?.aborted).toBe(false);
    await sleep(60);
    expect(told?.aborted).toBe(true);
  });

  test.each([0, -1])('behavior: no time left (%i ms): nothing is asked, nothing was written', async (remainingMs) => {
    expect(await create(remainingMs)).toEqual({
      kind: 'not_written',
      code: 'deadline_before_call',
      retryAfterMs: undefined,
    });
    expect(system.creates).toEqual([]);
  });

  test('behavior: refusals and retries keep their codes', async () => {
    answered({ outcome: 'rejected', code: 'credit_limit', message: 'never shown' });
    expect(await create()).toEqual({ kind: 'rejected', code: 'credit_limit', issues: [] });
    answered({ outcome: 'retryable', code: 'busy', retryAfterMs: 5 });
    expect(await create()).toEqual({ kind: 'not_written', code: 'busy', retryAfterMs: 5 });
    answered({ outcome: 'unknown', code: 'reset' });
    expect(await create()).toEqual({ kind: 'unknown', code: 'reset' });
  });

  test.each([
    ['rejects', (): Promise<never> => Promise.reject(new TypeError('a mistake')), 'adapter_failed'],
    ['rejects with a code', (): Promise<never> => Promise.reject(away), 'away'],
    [
      'throws before its promise is there',
      (): never => {
        throw new TypeError('a mistake');
      },
      'adapter_failed',
    ],
    ['never answers', (): Promise<never> => never, 'deadline_exceeded'],
  ])('error: an adapter that %s: unknown, and the process lives on', async (_, misbehave, code) => {
    system.script.create = misbehave;
    expect(await create(30)).toEqual({ kind: 'unknown', code });
    // Should the deadline come as a rejection that nobody takes, it would end the process here.
    await sleep(50);
  });

  test("behavior: the adapter's own answer to its signal counts", async () => {
    system.script.create = (_, { signal }) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          resolve({ outcome: 'retryable', code: 'aborted_before_commit' });
        });
      });
    expect(await create(30)).toMatchObject({ kind: 'not_written', code: 'aborted_before_commit' });
  });

  test('behavior: an order that exists is ours only if it is what was agreed', async () => {
    system.put(draft);
    expect(await create()).toEqual({ kind: 'created', order: { orderNumber: 'S-1' } });
    system.script.readBack = () => Promise.resolve(system.put(draft, { total: '1.00' }));
    expect(await create()).toEqual({ kind: 'different', code: 'order_differs' });
  });

  test.each([
    ['cannot be read', (): Promise<never> => Promise.reject(away)],
    ['is never read', (): Promise<never> => never],
    ['is not there', (): Promise<undefined> => Promise.resolve(undefined)],
  ])('error: an order that exists and %s: unknown', async (_, readBack) => {
    system.put(draft);
    system.script.readBack = readBack;
    expect(await create(50)).toEqual({ kind: 'unknown', code: 'order_not_readable' });
  });
});

describe('look-up', () => {
  test('default: the order that is found is confirmed, with its address', async () => {
    system.put(draft, { url: 'https://orders.example/7' });
    expect(await lookUpOrder(system, orderCase(), LIMITS, true)).toEqual({
      kind: 'created',
      order: { orderNumber: 'S-1', url: 'https://orders.example/7' },
    });
  });

  test.each([
    ['server', { kind: 'not_written', code: 'not_found', retryAfterMs: 0 }],
    ['extension', { kind: 'not_written', code: 'not_found', retryAfterMs: 0 }],
    ['none', { kind: 'unresolved', code: 'not_found_and_not_unique' }],
  ] as const)('behavior: nothing there, a second one refused by: %s', async (uniqueRef, expected) => {
    system = new ScriptedOrderSystem({ uniqueRef });
    expect(await lookUpOrder(system, orderCase(), LIMITS, true)).toEqual(expected);
  });

  test('error: two orders, or one that differs, are for a person', async () => {
    system.put(draft, { currency: 'USD' });
    expect(await lookUpOrder(system, orderCase(), LIMITS, true)).toEqual({ kind: 'different', code: 'order_differs' });
    system.put(draft);
    expect(await lookUpOrder(system, orderCase(), LIMITS, true)).toEqual({
      kind: 'different',
      code: 'reference_used_twice',
    });
  });

  test.each<[string, OrderScript, string]>([
    ['cannot be asked', { findByReference: failing(away) }, away.code],
    ['cannot be read back', { readBack: failing(away) }, away.code],
    ['fails for no known reason', { findByReference: failing(new TypeError('a mistake')) }, 'look_up_failed'],
    ['is read back badly', { readBack: failing(new TypeError('a mistake')) }, 'look_up_failed'],
    ['is never answered', { findByReference: () => never }, 'deadline_exceeded'],
    ['is found and not shown', { readBack: () => Promise.resolve(undefined) }, 'order_not_readable'],
  ])('error: an order that %s is looked up again, and then ends with a person', async (_, script, code) => {
    system.put(draft);
    system.script = script;
    const limits = { ...LIMITS, callTimeoutMs: 30 };
    expect(await lookUpOrder(system, orderCase(2), limits, true)).toEqual({ kind: 'not_looked_up', code });
    expect(await lookUpOrder(system, orderCase(3), limits, true)).toEqual({ kind: 'unresolved', code });
  });

  test('error: no number of look-ups ends with a person while the order system answers nobody', async () => {
    system.put(draft);
    system.script.findByReference = failing(away);
    expect(await lookUpOrder(system, orderCase(1_000), LIMITS, false)).toMatchObject({ kind: 'not_looked_up' });
    expect(await lookUpOrder(system, orderCase(1_000), LIMITS, true)).toMatchObject({ kind: 'unresolved' });
  });
});

describe('preflight', () => {
  test('default: nothing stands against the order', async () => {
    expect(await preflightOrder(system, draft, 1_000)).toBeUndefined();
  });

  test('behavior: every issue is told', async () => {
    const issues = [{ code: 'price_scale_exceeded', where: '/terms/lines/0/unitPrice' }];
    system.script.preflight = () => Promise.resolve(issues);
    expect(await preflightOrder(system, draft, 1_000)).toEqual({ kind: 'rejected', code: 'preflight_failed', issues });
  });

  test.each([
    ['cannot be asked', (): Promise<never> => Promise.reject(away), away.code],
    [
      'fails for no known reason',
      (): Promise<never> => Promise.reject(new TypeError('x')),
      'preflight_failed_unexpectedly',
    ],
    ['never answers', (): Promise<never> => never, 'deadline_exceeded'],
  ])('error: one that %s: not written, try again', async (_, preflight, code) => {
    system.script.preflight = preflight;
    expect(await preflightOrder(system, draft, 30)).toEqual({
      kind: 'not_written',
      code,
      retryAfterMs: undefined,
    });
  });
});
