import { createHash } from 'node:crypto';
import type { DataOf, EventType } from '../catalogue.js';
import { encodeEvent, type EncodedEvent, type EventAttributes } from '../envelope.js';
import { endToEndId, eventId, handlerSource, idempotencyKey } from '../identity.js';
import {
  SAMPLE_AMENDMENT_ID,
  SAMPLE_CONFLICT,
  SAMPLE_CONFLICT_ID,
  SAMPLE_CONFLICT_SHORT_REF,
  SAMPLE_CONTRACT,
  SAMPLE_CONTRACT_ID,
  SAMPLE_SHORT_REF,
} from './sample-contract.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const { parties, terms, negotiationId, agreedAt, expiresAt, extensions } = SAMPLE_CONTRACT;
const [line] = terms.lines;
const [firstDelivery] = terms.delivery.schedule;
const [, sepaLeg, invoiceLeg] = terms.payment.schedule;

const source = handlerSource('sample');
const settlement = { contractId: SAMPLE_CONTRACT_ID, shortRef: SAMPLE_SHORT_REF, negotiationId, parties };
const order = { orderSystem: 'embedded', reference: SAMPLE_SHORT_REF, attempt: 1 };
const salesOrder = { ...settlement, side: 'seller', kind: 'sales_order', ...order } as const;
const orderReference = { orderSystem: 'embedded', reference: SAMPLE_SHORT_REF };
const orderedAt = '2026-11-21T10:15:31.604118Z';
const input = { topic: 'v402.settlement.contracts.v1', partition: 3 };
const conflict = {
  rawDigest: sha256(JSON.stringify({ contract: SAMPLE_CONFLICT })),
  kafka: { ...input, offset: '1290' },
};

const sepaPayment = {
  ...settlement,
  side: 'buyer',
  role: 'payer',
  legId: sepaLeg.id,
  legNumber: 2,
  amount: { amount: sepaLeg.amount, currency: terms.currency },
  rail: sepaLeg.rail,
  trigger: { kind: sepaLeg.trigger, days: sepaLeg.days, firedAt: orderedAt },
  dueDate: '2026-12-05',
} as const;

const DATA: { readonly [T in EventType]: DataOf<T> } = {
  'org.v402.settlement.accepted.v1': {
    ...settlement,
    sides: ['buyer', 'seller'],
    reference: SAMPLE_SHORT_REF,
    agreedAt,
    expiresAt,
    terms,
    extensions,
    evidence: {
      kafka: { ...input, offset: '1284' },
      arrival: { at: '2026-11-21T10:15:31.412Z', source: 'broker' },
      rawDigest: sha256(JSON.stringify({ contract: SAMPLE_CONTRACT })),
      registryDigest: sha256('the trust registry of the sample'),
      keys: [
        { role: 'buyer', suite: 'eip712', kid: 'did:pkh:eip155:1:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed' },
        { role: 'seller', suite: 'jws', kid: 'did:web:seller.example#settlement-1' },
      ],
    },
  },
  'org.v402.settlement.superseded.v1': { ...settlement, supersededBy: SAMPLE_AMENDMENT_ID },
  'org.v402.hold.placed.v1': {
    ...settlement,
    holdId: 'equivocation-1',
    reason: 'equivocation',
    evidence: { conflictingContractId: SAMPLE_CONFLICT_ID, ...conflict },
  },
  'org.v402.order.created.v1': { ...salesOrder, orderNumber: 'SO-100417' },
  'org.v402.order.rejected.v1': {
    ...salesOrder,
    code: 'preflight_failed',
    issues: [{ code: 'price_scale_exceeded', where: '/terms/lines/0/unitPrice' }],
  },
  'org.v402.order.outcome_unknown.v1': {
    ...salesOrder,
    code: 'deadline_passed',
    lookUpNotBefore: '2026-11-21T10:16:46.604118Z',
  },
  'org.v402.payment.scheduled.v1': sepaPayment,
  'org.v402.payment.requested.v1': {
    ...sepaPayment,
    attempt: 1,
    endToEndId: endToEndId(SAMPLE_SHORT_REF, 2, 1),
    instructedAmount: sepaPayment.amount,
    requestedExecutionDate: '2026-12-05',
    debtor: parties.buyer,
    creditor: { ...parties.seller, account: { scheme: 'iban', identification: 'FR1420041010050500013M02606' } },
    remittanceInformation: `${SAMPLE_SHORT_REF} leg 2`,
    orderReference: { ...orderReference, orderNumber: 'PO-200093' },
    idempotencyKey: idempotencyKey({
      work: 'payment',
      side: 'buyer',
      contractId: SAMPLE_CONTRACT_ID,
      id: sepaLeg.id,
      attempt: 1,
    }),
  },
  'org.v402.invoice.requested.v1': {
    ...settlement,
    side: 'seller',
    role: 'payee',
    legId: invoiceLeg.id,
    legNumber: 3,
    amount: { amount: invoiceLeg.amount, currency: terms.currency },
    rail: 'invoice',
    trigger: { kind: invoiceLeg.trigger, days: invoiceLeg.days, firedAt: orderedAt },
    dueDate: '2026-12-21',
    attempt: 1,
    invoiceReference: endToEndId(SAMPLE_SHORT_REF, 3, 1),
    lines: terms.lines,
    charges: terms.charges,
    orderReference: { ...orderReference, orderNumber: 'SO-100417' },
    idempotencyKey: idempotencyKey({
      work: 'invoice',
      side: 'seller',
      contractId: SAMPLE_CONTRACT_ID,
      id: invoiceLeg.id,
      attempt: 1,
    }),
  },
  'org.v402.delivery.requested.v1': {
    ...settlement,
    side: 'seller',
    role: 'shipper',
    deliveryId: firstDelivery.id,
    deliveryNumber: 1,
    attempt: 1,
    items: firstDelivery.items.map((item) => ({
      line: item.line,
      sku: line.sku,
      description: line.description,
      quantity: item.quantity,
      unit: line.unit,
    })),
    window: { notBefore: firstDelivery.notBefore, notAfter: firstDelivery.notAfter },
    shipTo: terms.delivery.shipTo,
    incoterm: terms.delivery.incoterm,
    place: terms.delivery.place,
    orderReference: { ...orderReference, orderNumber: 'SO-100417' },
    idempotencyKey: idempotencyKey({
      work: 'delivery',
      side: 'seller',
      contractId: SAMPLE_CONTRACT_ID,
      id: firstDelivery.id,
      attempt: 1,
    }),
  },
  'org.v402.contract.rejected.v1': {
    code: 'schema_invalid',
    where: '/contract/terms/lines/0/unit',
    rawDigest: sha256('the refused message of the sample'),
    size: 2417,
    kafka: { ...input, offset: '1287' },
    arrival: { at: '2026-11-21T10:15:33.006Z', source: 'broker' },
  },
  'org.v402.contract.quarantined.v1': {
    contractId: SAMPLE_CONFLICT_ID,
    shortRef: SAMPLE_CONFLICT_SHORT_REF,
    negotiationId,
    parties,
    code: 'negotiation_conflict',
    conflictsWith: SAMPLE_CONTRACT_ID,
    held: true,
    ...conflict,
    arrival: { at: '2026-11-21T10:15:34.220Z', source: 'broker' },
  },
};

type Attributes = Omit<EventAttributes, 'source' | 'n' | 'traceparent' | 'correlationId'>;

const time = '2026-11-21T10:15:31.480352Z';
const subject = SAMPLE_CONTRACT_ID;

/** The order's creation releases what is due by it, and so is the cause of those events. */
const orderCreated = (side: 'buyer' | 'seller'): { causationId: string } => ({
  causationId: eventId(source, subject, side, 'org.v402.order.created.v1', 'order', 1),
});

const ATTRIBUTES: { readonly [T in EventType]: Attributes } = {
  'org.v402.settlement.accepted.v1': { subject, subjectId: 'settlement', time, sequence: 1 },
  'org.v402.settlement.superseded.v1': { subject, subjectId: 'settlement', time, sequence: 2 },
  'org.v402.hold.placed.v1': { subject, subjectId: 'equivocation-1', time, sequence: 3 },
  'org.v402.order.created.v1': { subject, side: 'seller', subjectId: 'order', time: orderedAt, sequence: 2 },
  'org.v402.order.rejected.v1': { subject, side: 'seller', subjectId: 'order', time: orderedAt, sequence: 2 },
  'org.v402.order.outcome_unknown.v1': { subject, side: 'seller', subjectId: 'order', time: orderedAt, sequence: 2 },
  'org.v402.payment.scheduled.v1': {
    ...orderCreated('buyer'),
    subject,
    side: 'buyer',
    subjectId: sepaLeg.id,
    time: orderedAt,
    sequence: 2,
  },
  'org.v402.payment.requested.v1': {
    ...orderCreated('buyer'),
    subject,
    side: 'buyer',
    subjectId: sepaLeg.id,
    time: '2026-12-04T00:00:00.214907Z',
    sequence: 4,
  },
  'org.v402.invoice.requested.v1': {
    ...orderCreated('seller'),
    subject,
    side: 'seller',
    subjectId: invoiceLeg.id,
    time: orderedAt,
    sequence: 3,
  },
  'org.v402.delivery.requested.v1': {
    ...orderCreated('seller'),
    subject,
    side: 'seller',
    subjectId: firstDelivery.id,
    time: orderedAt,
    sequence: 1,
  },
  'org.v402.contract.rejected.v1': {
    subject: DATA['org.v402.contract.rejected.v1'].rawDigest,
    subjectId: `${DATA['org.v402.contract.rejected.v1'].rawDigest}:schema_invalid`,
    time: '2026-11-21T10:15:33.051266Z',
  },
  'org.v402.contract.quarantined.v1': {
    subject: SAMPLE_CONFLICT_ID,
    subjectId: 'contract',
    time: '2026-11-21T10:15:34.268013Z',
  },
};

/** One event of each type, from the sample contract: the same bytes on every run. */
export function exampleOf(type: EventType): EncodedEvent {
  const correlation = type === 'org.v402.contract.rejected.v1' ? {} : { correlationId: negotiationId };
  const attributes: EventAttributes = {
    source,
    n: 1,
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    ...correlation,
    ...ATTRIBUTES[type],
  };
  return encodeEvent(type, attributes, DATA[type]);
}

/** The `data` of an example as it stands in the event's JSON. */
export function exampleDataOf<T extends EventType>(type: T): DataOf<T> {
  return DATA[type];
}
