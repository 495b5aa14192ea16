import { buildContract, type LegDraft } from '@v402/contract';
import type { SettlementContract } from '@v402/domain';
import { PARTNER_COMPANIES, SERVED_COMPANIES } from './companies.js';
import { eventsOfContract } from './expected-events.js';
import { HANDLING } from './world.js';

const NOW = '2026-11-22T10:15:30Z';
const [served] = SERVED_COMPANIES.map(({ id }) => ({ id }));
const withAccount = {
  id: PARTNER_COMPANIES.find(({ bankRails, currency }) => currency === 'EUR' && bankRails.length > 0)!.id,
};
const withoutAccount = {
  id: PARTNER_COMPANIES.find(({ bankRails, currency }) => currency === 'EUR' && bankRails.length === 0)!.id,
};

const bought = (leg: LegDraft, seller = withAccount): SettlementContract =>
  buildContract({ parties: { buyer: served!, seller }, payment: [leg], agreedAt: '2026-11-22T10:00:00Z' });
const sold = (leg: LegDraft): SettlementContract =>
  buildContract({ parties: { buyer: withAccount, seller: served! }, payment: [leg], agreedAt: '2026-11-22T10:00:00Z' });

function paymentEvents(contract: SettlementContract): readonly string[] {
  return eventsOfContract(contract, 'c', HANDLING, NOW)
    .map(({ type }) => type.split('.').slice(2, 4).join('.'))
    .filter((name) => /payment|invoice/.test(name));
}

test.each([
  ['due at once', bought({ rail: 'card', trigger: 'agreed' }), ['payment.scheduled', 'payment.requested']],
  ['due with the order', bought({ rail: 'card', trigger: 'ordered' }), ['payment.scheduled', 'payment.requested']],
  ['due in a month', bought({ rail: 'card', trigger: 'agreed', days: 30 }), ['payment.scheduled']],
  [
    'due tomorrow, and the bank wants it today',
    bought({ rail: 'sepa', trigger: 'agreed', days: 1 }),
    ['payment.scheduled', 'payment.requested'],
  ],
  ['due the day after, a day too early', bought({ rail: 'sepa', trigger: 'agreed', days: 2 }), ['payment.scheduled']],
  [
    'to a creditor without an account',
    bought({ rail: 'sepa', trigger: 'agreed' }, withoutAccount),
    ['payment.scheduled'],
  ],
  [
    'expected by the creditor, account or not',
    sold({ rail: 'sepa', trigger: 'agreed' }),
    ['payment.scheduled', 'payment.requested'],
  ],
  [
    'an invoice to issue',
    sold({ rail: 'invoice', trigger: 'agreed', days: 30 }),
    ['payment.scheduled', 'invoice.requested'],
  ],
  ['an invoice to pay in a month', bought({ rail: 'invoice', trigger: 'agreed', days: 30 }), ['payment.scheduled']],
  ['after shipment', bought({ rail: 'card', trigger: 'shipped' }), []],
  ['after delivery', sold({ rail: 'invoice', trigger: 'delivered' }), []],
])('a payment %s', (_, contract, events) => {
  expect(paymentEvents(contract)).toEqual(events);
});

test('a delivery is asked for two weeks ahead, once per served side', () => {
  const schedule = [
    { notBefore: '2026-12-06', notAfter: '2026-12-08', items: [{ line: '1', quantity: '1000' }] },
    { notBefore: '2026-12-07', notAfter: '2026-12-08' },
  ];
  const contract = buildContract({
    parties: { buyer: { id: SERVED_COMPANIES[0]!.id }, seller: { id: SERVED_COMPANIES[1]!.id } },
    delivery: { schedule },
  });
  const asked = eventsOfContract(contract, 'c', HANDLING, NOW).filter(({ type }) => type.includes('delivery'));
  expect(asked.map(({ side, about }) => [side, about])).toEqual([
    ['buyer', 'd1'],
    ['seller', 'd1'],
  ]);
});

test('a settlement is accepted once, and each served side has an order', () => {
  const events = eventsOfContract(sold({ rail: 'card', trigger: 'shipped' }), 'c', HANDLING, '2026-01-01T00:00:00Z');
  expect(events).toEqual([
    { type: 'org.v402.settlement.accepted.v1', subject: 'c' },
    { type: 'org.v402.order.created.v1', subject: 'c', side: 'seller' },
  ]);
});
