import { canonicalBytes } from '@v402/contract';
import { RetryableError, TerminalError } from '@v402/domain';
import { buildOrderDraft, ScriptedOrderSystem, type OrderScript } from '@v402/testing';
import type { BookedOrder, BookedSettlement } from '../ports/reconciliation-books.js';
import { OrderComparison } from './compare-orders.js';
import { Findings } from './report.js';

const draft = buildOrderDraft();
const away = new RetryableError('away', 'The order system is away.');

const order: BookedOrder = {
  ...{ side: 'seller', state: 'created', orderNumber: 'S-1', hasWork: false, adoptedFrom: undefined, passedOn: false },
};

const settlement: BookedSettlement = {
  contractId: draft.contractId,
  orderReference: draft.reference,
  canonical: canonicalBytes(draft.contract),
  acceptedAt: 0n,
  acceptances: 1,
  total: draft.contract.terms.total,
  current: true,
  held: false,
  adopter: false,
  orders: [order],
  legs: [],
  deliveries: [],
  events: [],
  sequences: 0,
};

interface Compared {
  readonly found: number;
  readonly differs: readonly string[];
  readonly unproven: readonly unknown[];
}

async function compared(
  system: ScriptedOrderSystem,
  settlements: readonly BookedSettlement[] = [settlement],
  signal = new AbortController().signal,
): Promise<Compared> {
  const findings = new Findings();
  await new OrderComparison(system, findings, signal, { firstMs: 0, maxMs: 0 }).compare(settlements);
  const { counts, differences, unproven } = findings.report({ from: 0n, to: 0n }, 0n, 0n, 0);
  return {
    found: counts.ordersFound,
    differs: differences.map(({ code }) => code),
    unproven: unproven.map(({ code, subject, detail }) => ({ code, subject, detail })),
  };
}

const unread = (detail: string) => [{ code: 'order_system_unread', subject: 'scripted', detail }];

let system: ScriptedOrderSystem;
beforeEach(() => {
  system = new ScriptedOrderSystem();
});

test('default: an order that stands as it was agreed is found', async () => {
  system.put(draft);
  expect(await compared(system)).toEqual({ found: 1, differs: [], unproven: [] });
});

test('behavior: one that is gone, one that differs, and one that nobody made', async () => {
  expect((await compared(system)).differs).toEqual(['order_missing']);
  system.put(draft, { total: '1.00' });
  expect((await compared(system)).differs).toEqual(['order_differs']);
  const refused = { ...settlement, orders: [{ ...order, state: 'rejected' as const }] };
  expect((await compared(system, [refused])).differs).toEqual(['order_unexpected']);
});

test('behavior: a second order under the same reference, where the order system refuses none', async () => {
  system = new ScriptedOrderSystem({ uniqueRef: 'none' });
  system.put(draft);
  expect(await compared(system)).toEqual({ found: 1, differs: [], unproven: [] });
  system.put(draft);
  expect(await compared(system)).toEqual({ found: 1, differs: ['order_doubled'], unproven: [] });
  system.script.findByReference = () => Promise.reject(away);
  expect(await compared(system)).toEqual({ found: 0, differs: [], unproven: unread('away') });
});

test('default: where references are unique, only the one order is asked for', async () => {
  system.put(draft);
  await compared(system);
  expect(system.lookUps).toBe(0);
});

test('behavior: an order that somebody is at work on is not asked for', async () => {
  system.script.readBack = () => Promise.reject(away);
  const atWork = { ...settlement, orders: [{ ...order, hasWork: true }] };
  expect(await compared(system, [atWork])).toEqual({ found: 0, differs: [], unproven: [] });
});

describe('error: an order system that does not answer is said, and ends nothing', () => {
  const many = Array.from({ length: 10 }, () => settlement);
  /** Reading back fails by how often it was tried, or works. @returns how often it was tried */
  const scripted = (failure: (times: number) => Error | undefined): (() => number) => {
    let asked = 0;
    system.script.readBack = () => {
      asked += 1;
      const error = failure(asked);
      return error === undefined ? Promise.resolve(system.orders[0]) : Promise.reject(error);
    };
    return () => asked;
  };

  const failures: [string, Required<OrderScript>['readBack'], string][] = [
    ['is away', () => Promise.reject(away), 'away'],
    ['refuses us', () => Promise.reject(new TerminalError('unauthorised', 'Wrong key.')), 'unauthorised'],
    ['fails as nobody foresaw', () => Promise.reject(new TypeError('a mistake')), 'adapter_failed'],
    [
      'fails before its promise is there',
      () => {
        throw new TypeError('a mistake');
      },
      'adapter_failed',
    ],
  ];

  test.each(failures)('one that %s', async (_, readBack, code) => {
    system.script.readBack = readBack;
    expect(await compared(system)).toEqual({ found: 0, differs: [], unproven: unread(code) });
  });

  test('one that never answers, and does not heed its signal', async () => {
    const patience = new AbortController();
    system.script.readBack = () => {
      patience.abort();
      return new Promise(() => undefined);
    };
    expect((await compared(system, [settlement], patience.signal)).unproven).toEqual(unread('deadline_exceeded'));
  });

  test('behavior: a question that is not answered is asked twice again, one that was refused is not', async () => {
    system.put(draft);
    const asked = scripted((times) => (times < 3 ? away : undefined));
    expect(await compared(system)).toEqual({ found: 1, differs: [], unproven: [] });
    expect(asked()).toBe(3);
    const refused = scripted(() => new TerminalError('unauthorised', 'Wrong key.'));
    await compared(system);
    expect(refused()).toBe(1);
  });

  test('it is said once, and after three silences nobody asks any more', async () => {
    system = new ScriptedOrderSystem({ maxConcurrency: 1 });
    const asked = scripted(() => away);
    expect((await compared(system, many)).unproven).toEqual(unread('away'));
    expect(asked()).toBe(9);
  });

  test('behavior: silences with an answer in between end nothing, and the window stays unproven', async () => {
    system = new ScriptedOrderSystem({ maxConcurrency: 1 });
    system.put(draft);
    // Each second question is not answered, however often it is asked: four times one answer and three silences.
    const asked = scripted((times) => (times % 4 === 1 ? undefined : away));
    expect(await compared(system, many)).toEqual({ found: 5, differs: [], unproven: unread('away') });
    expect(asked()).toBe(20);
  });
});

test('error: a stored contract that cannot be read is no silence of the order system', async () => {
  system.put(draft);
  const broken = { ...settlement, canonical: Buffer.from('{') };
  await expect(compared(system, [broken])).rejects.toMatchObject({ code: 'contract_unreadable' });
});
