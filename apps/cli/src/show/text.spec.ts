import { printable } from '@v402/domain';
import type { Figures, SettlementView } from '@v402/persistence';
import { toJson } from '../json.js';
import { figuresText } from './figures-text.js';
import { settlementText } from './settlement-text.js';

const settlement: SettlementView = {
  contractId: 'ab'.repeat(32),
  shortRef: 'SHORTREF',
  orderReference: 'SHORTREF',
  state: 'ordered',
  current: true,
  supersedes: undefined,
  currency: 'EUR',
  total: '652',
  agreedAt: '2026-11-21T10:15:30.120Z',
  expiresAt: '2026-11-22T10:15:30.120Z',
  acceptedAt: '2026-11-21T10:15:31.000Z',
  duplicates: 2,
  deal: { key: 'cd'.repeat(32), negotiationId: 'neg-1', buyer: 'did:web:buyer', seller: 'did:web:seller' },
  orders: [
    {
      side: 'seller',
      state: 'created',
      attempt: 1,
      orderSystem: 'embedded',
      orderNumber: 'SO-000001',
      orderUrl: undefined,
      code: undefined,
      orderedAt: '2026-11-21T10:15:32.000Z',
    },
  ],
  legs: [
    {
      side: 'seller',
      legId: 'p1',
      state: 'scheduled',
      trigger: 'agreed',
      rail: 'sepa',
      amount: '652',
      currency: 'EUR',
      dueDate: '2026-12-21',
      code: undefined,
    },
  ],
  deliveries: [],
  holds: [],
  decisions: [
    {
      outcome: 'accepted',
      code: undefined,
      rawDigest: 'ef'.repeat(32),
      topic: 'contracts',
      partition: 3,
      offset: 9_007_199_254_740_993n,
      arrival: '2026-11-21T10:15:31.000Z',
      arrivalSource: 'broker',
      registryDigest: '01'.repeat(32),
      codeVersion: '0.1.0',
    },
  ],
  events: [
    {
      id: 'e',
      type: 'org.v402.order.created.v1',
      topic: 'events',
      sequence: 2,
      occurredAt: '2026-11-21T10:15:32.000Z',
      published: false,
    },
  ],
  actions: [
    {
      sequence: 12n,
      at: '2026-11-21T11:00:00.000Z',
      actor: 'olivia',
      login: 'v402_operator_login',
      action: 'redrive',
      caseId: '7b0e4b3e-4bb1-4b43-8a5a-3ec9f5b0a402',
      reason: 'ticket 4711',
    },
  ],
};

describe('a settlement as text', () => {
  const text = settlementText(settlement);

  test.each([
    'SHORTREF',
    '652 EUR',
    'did:web:buyer',
    'SO-000001',
    '2026-12-21',
    'contracts/3/9007199254740993',
    'org.v402.order.created.v1',
    'not yet',
    'olivia',
    'ticket 4711',
  ])('shows %s', (shown) => {
    expect(text).toContain(shown);
  });

  test('leaves out what there is none of', () => {
    expect(text).not.toMatch(/undefined|supersedes|Deliveries|Holds/);
  });

  test('says when it is no longer the current one', () => {
    expect(settlementText({ ...settlement, current: false, supersedes: 'ff' })).toMatch(
      /no longer the current contract/,
    );
  });
});

describe('what an order system or an agent named itself', () => {
  const escape = String.fromCodePoint(0x1b);
  const csi = String.fromCodePoint(0x9b);
  const [order] = settlement.orders;
  const hostile: SettlementView = {
    ...settlement,
    deal: { ...settlement.deal, buyer: `${escape}]0;owned\u0007` },
    orders: [{ ...order!, orderNumber: `${csi}2J\r\nSO-1  paid \u202E` }],
  };

  test('is shown in the text, and does nothing to the terminal', () => {
    const text = settlementText(hostile);
    expect(text).toContain(String.raw`\u{1b}]0;owned\u{7}`);
    expect(text).toContain(String.raw`\u{9b}2J\u{d}\u{a}SO-1  paid \u{202e}`);
    expect(text.replaceAll('\n', '')).toBe(printable(text.replaceAll('\n', '')));
  });

  test('is the same value in the JSON, which does nothing to the terminal either', () => {
    const json = toJson(hostile);
    expect(JSON.parse(json)).toMatchObject({
      deal: hostile.deal,
      orders: hostile.orders.map((o) => ({ orderNumber: o.orderNumber })),
    });
    expect(json.replaceAll('\n', '')).toBe(printable(json.replaceAll('\n', '')));
  });
});

test('the overview shows counts by what they are counted by, and nothing of what there is none of', () => {
  const figures: Figures = {
    settlementsByState: { ordered: 7 },
    ordersByState: {},
    legsByState: {},
    deliveriesByState: {},
    decisionsByOutcome: { accepted: 7, rejected: 1 },
    rejectionsByCode: { expired: 1 },
    rejectedMessagesByCode: { expired: 43 },
    quarantinedByReason: {},
    openHoldsByReason: {},
    duplicates: 5,
    unpublishedEvents: 11,
    parkedStreams: 0,
  };
  const text = figuresText(figures);
  expect(text).toMatch(/unpublished events +11/);
  expect(text).toMatch(/ordered\W+7/);
  expect(text).toMatch(/expired\W+1\W+43/);
  expect(text).not.toContain('Open holds');
});
