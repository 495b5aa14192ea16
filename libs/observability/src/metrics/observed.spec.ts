import {
  EventPublisher,
  UnitOfWork,
  type Alarms,
  type Claim,
  type PublishableEvent,
  type Publication,
  type Transaction,
  type WorkStore,
} from '@v402/application';
import { RetryableError, TerminalError } from '@v402/domain';
import { buildOrderDraft, ScriptedOrderSystem } from '@v402/testing';
import { Metrics } from './metrics.js';
import { CountedAlarms, ObservedOrderSystem, ObservedPublisher } from './observed-ports.js';
import { ObservedUnitOfWork } from './observed-unit-of-work.js';

let metrics: Metrics;
beforeEach(() => {
  metrics = new Metrics();
});

/** The lines of a metric, without the buckets and sums. */
const lines = async (name: string): Promise<string[]> =>
  (await metrics.text()).split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));

describe('the unit of work', () => {
  class Scripted extends UnitOfWork {
    before: (attempt: number) => void = () => undefined;
    attempts = 1;

    override async run<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
      for (let attempt = 1; ; attempt += 1) {
        this.before(attempt);
        const claims = [
          { kind: 'order', attempts: attempt },
          { kind: 'order', attempts: 2 },
        ] as Claim[];
        const store: Partial<WorkStore> = { claim: () => Promise.resolve(claims) };
        const result = await work({
          work: store,
          now: () => Promise.resolve(7n),
        } as Partial<Transaction> as Transaction);
        if (attempt === this.attempts) return result;
      }
    }
  }
  const request = { kinds: ['order'], limit: 1, leaseMs: 1, owner: 'me' } as const;

  test('default: what a use case does goes through; transactions and claims are counted, those that were repeated once', async () => {
    const inner = new Scripted();
    inner.attempts = 2;
    const observed = new ObservedUnitOfWork(inner, metrics);
    expect(await observed.run(async (tx) => [await tx.now(), (await tx.work.claim(request)).length])).toEqual([7n, 2]);
    expect(await lines('v402_transaction_duration_seconds_count')).toEqual([
      'v402_transaction_duration_seconds_count{outcome="committed"} 1',
    ]);
    expect(await lines('v402_work_claims_total')).toEqual(['v402_work_claims_total{kind="order",attempt="again"} 2']);
  });

  test('behavior: ready until the database has failed for longer than the limit; any other failure is an answer', async () => {
    const inner = new Scripted();
    const observed = new ObservedUnitOfWork(inner, metrics);
    const [atOnce, later] = [observed.condition(-1), observed.condition(60_000)];
    const failWith = async (error: Error): Promise<void> => {
      inner.before = () => {
        throw error;
      };
      await expect(observed.run(() => Promise.resolve())).rejects.toBe(error);
    };
    expect(atOnce()).toBeNull();
    await failWith(new RetryableError('database_unavailable', 'away'));
    expect([atOnce(), later()]).toEqual(['database_unavailable', null]);
    await failWith(new TerminalError('data_error', 'refused'));
    expect(atOnce()).toBeNull();
    await failWith(new RetryableError('database_authentication_failed', 'refused'));
    expect(atOnce()).toBe('database_authentication_failed');
    inner.before = () => undefined;
    await observed.run(() => Promise.resolve());
    expect(atOnce()).toBeNull();
    expect(await lines('v402_transaction_duration_seconds_count')).toHaveLength(4);
  });
});

test('behavior: a transaction that does not end is told', async () => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  class Waiting extends UnitOfWork {
    override async run<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
      await promise;
      return work({ work: {} } as Transaction);
    }
  }
  const observed = new ObservedUnitOfWork(new Waiting(), metrics);
  const [atOnce, later] = [observed.condition(-1), observed.condition(60_000)];
  const done = observed.run(() => Promise.resolve());
  expect([atOnce(), later()]).toEqual(['transaction_stuck', null]);
  resolve(undefined);
  await done;
  expect(atOnce()).toBeNull();
});

test('alarms are counted by code and raised', async () => {
  const raised: string[] = [];
  const alarms = new CountedAlarms({ raise: (code) => void raised.push(code) } satisfies Alarms, metrics);
  alarms.raise('claim_lost', '', {});
  alarms.raise('claim_lost', '', {});
  expect(raised).toEqual(['claim_lost', 'claim_lost']);
  expect(await lines('v402_alarms_total')).toEqual(['v402_alarms_total{code="claim_lost"} 2']);
});

describe('publications', () => {
  const event = (type: string): PublishableEvent => ({ type }) as Partial<PublishableEvent> as PublishableEvent;
  const publisherOf = (answer: () => Promise<Publication>): ObservedPublisher => {
    class Scripted extends EventPublisher {
      override publish(): Promise<Publication> {
        return answer();
      }
    }
    return new ObservedPublisher(new Scripted(), metrics);
  };

  test('count what was acknowledged, by type, and nothing else', async () => {
    const answer: Publication = { acknowledged: 2, refused: 'record_too_large' };
    await publisherOf(() => Promise.resolve(answer)).publish([event('a'), event('b'), event('a')]);
    expect(await lines('v402_events_published_total')).toEqual([
      'v402_events_published_total{type="a"} 1',
      'v402_events_published_total{type="b"} 1',
    ]);
    expect(await lines('v402_publish_duration_seconds_count')).toEqual([
      'v402_publish_duration_seconds_count{outcome="refused"} 1',
    ]);
  });

  test('that fail are told by their code', async () => {
    const error = new RetryableError('broker_unavailable', 'away');
    await expect(publisherOf(() => Promise.reject(error)).publish([event('a')])).rejects.toBe(error);
    expect(await lines('v402_events_published_total')).toEqual([]);
    expect(await lines('v402_publish_duration_seconds_count')).toEqual([
      'v402_publish_duration_seconds_count{outcome="broker_unavailable"} 1',
    ]);
  });
});

test('an order system is the same as before, and its calls are counted by outcome, never by codes of its own', async () => {
  const inner = new ScriptedOrderSystem();
  const observed = new ObservedOrderSystem(inner, metrics);
  expect([observed.name, observed.capabilities]).toEqual([inner.name, inner.capabilities]);
  const { signal } = new AbortController();
  const draft = buildOrderDraft();
  await observed.preflight(draft);
  await observed.findByReference(draft, signal);
  const created = await observed.create(draft, { attempt: 1, signal });
  expect(created.outcome).toBe('created');
  await observed.findByReference(draft, signal);
  await observed.readBack(draft, signal);
  await observed.status(draft, signal);
  await observed.cancel(draft, 'no', signal);
  const counts = await lines('v402_order_call_duration_seconds_count');
  const of = (operation: string, outcome: string): string =>
    `v402_order_call_duration_seconds_count{order_system="${inner.name}",operation="${operation}",outcome="${outcome}"} 1`;
  expect(counts).toEqual(
    expect.arrayContaining([
      of('preflight', 'passed'),
      of('find', 'none'),
      of('create', 'created'),
      of('find', 'one'),
      of('read_back', 'one'),
      of('status', 'one'),
    ]),
  );
  expect(counts).toHaveLength(7);
});
