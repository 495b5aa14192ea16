import { createHash, randomUUID } from 'node:crypto';
import type {
  DealRecord,
  DecisionRecord,
  DeliveryRow,
  NewSettlement,
  NewWork,
  OrderPlacement,
  PaymentLeg,
  QuarantineRecord,
  RawMessage,
  RejectionRecord,
  StoredEvent,
  Transaction,
} from '@v402/application';
import { instantOfMicros } from '@v402/domain';

export const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');

/** 2026-11-22T10:15:30.123457Z: the last digit would be lost in a double of seconds. */
export const MOMENT = 1_795_342_530_123_457n;

export const aDeal = (name: string, overrides: Partial<DealRecord> = {}): DealRecord => ({
  key: sha256(`deal ${name}`),
  negotiationId: name,
  buyer: 'did:web:buyer.example',
  seller: 'did:web:seller.example',
  ...overrides,
});

export const aSettlement = (name: string, overrides: Partial<NewSettlement> = {}): NewSettlement => ({
  contractId: sha256(`contract ${name}`),
  dealKey: aDeal(name).key,
  current: true,
  state: 'accepted',
  shortRef: sha256(name).slice(0, 26).toUpperCase(),
  orderReference: sha256(name).slice(0, 26).toUpperCase(),
  canonical: Buffer.from(`{"name":"${name}"}`),
  traceparent: undefined,
  position: { settlement: 0, payments: 0, deliveries: 0, lastEventAt: undefined },
  supersedes: undefined,
  currency: 'EUR',
  total: '652.00',
  agreedAt: '2026-11-21T10:15:30.120Z',
  expiresAt: '2026-12-21T10:15:30Z',
  acceptedAt: MOMENT,
  ...overrides,
});

export const anOrder = (contractId: string, overrides: Partial<OrderPlacement> = {}): OrderPlacement => ({
  contractId,
  side: 'seller',
  state: 'waiting',
  attempt: 0,
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
  ...overrides,
});

export const aLeg = (contractId: string, overrides: Partial<PaymentLeg> = {}): PaymentLeg => ({
  contractId,
  side: 'seller',
  legId: 'leg-1',
  number: 1,
  state: 'waiting',
  attempt: 1,
  trigger: 'agreed',
  days: 14,
  rail: 'sepa',
  amount: '652',
  currency: 'EUR',
  triggeredAt: undefined,
  dueDate: undefined,
  code: undefined,
  ...overrides,
});

export const aDelivery = (contractId: string, overrides: Partial<DeliveryRow> = {}): DeliveryRow => ({
  contractId,
  side: 'seller',
  deliveryId: 'delivery-1',
  number: 1,
  state: 'waiting',
  attempt: 1,
  notBefore: '2026-12-01',
  notAfter: '2026-12-05',
  code: undefined,
  ...overrides,
});

export const someWork = (contractId: string, overrides: Partial<NewWork> = {}): NewWork => ({
  kind: 'order',
  contractId,
  side: 'seller',
  subjectId: '',
  dueAt: undefined,
  ...overrides,
});

export const anEvent = (stream: string, overrides: Partial<StoredEvent> = {}): StoredEvent => ({
  id: randomUUID(),
  type: 'org.v402.settlement.accepted.v1',
  stream,
  topic: 'v402.settlement.events.v1',
  sequence: 1,
  occurredAt: MOMENT,
  bytes: Buffer.from('{"specversion":"1.0"}'),
  ...overrides,
});

export const aRawMessage = (text: string, overrides: Partial<RawMessage> = {}): RawMessage => {
  const bytes = Buffer.from(text);
  return { digest: sha256(bytes), size: bytes.length, bytes, truncated: false, ...overrides };
};

export const aDecision = (raw: RawMessage, overrides: Partial<DecisionRecord> = {}): DecisionRecord => ({
  outcome: 'accepted',
  code: undefined,
  contractId: undefined,
  rawDigest: raw.digest,
  coordinates: { topic: 'contracts', partition: 0, offset: 1n },
  arrival: { at: instantOfMicros(MOMENT), source: 'broker' },
  registryDigest: sha256('registry'),
  keys: [{ role: 'buyer', suite: 'jws', kid: 'buyer-1', entry: '{"kid":"buyer-1"}' }],
  codeVersion: '0.1.0',
  ...overrides,
});

export const aRejection = (raw: RawMessage, overrides: Partial<RejectionRecord> = {}): RejectionRecord => ({
  rawDigest: raw.digest,
  code: 'expired',
  where: undefined,
  contractId: undefined,
  negotiationId: undefined,
  occurrences: 1,
  ...overrides,
});

export const anEquivocation = (contractId: string, overrides: Partial<QuarantineRecord> = {}): QuarantineRecord => ({
  id: randomUUID(),
  reason: 'equivocation',
  code: 'negotiation_conflict',
  contractId,
  conflictsWith: sha256('other'),
  rawDigest: undefined,
  side: undefined,
  holdId: undefined,
  ...overrides,
});

/** Inserts a deal and its one settlement. @returns the contractId */
export const insertSettlement = async (
  tx: Transaction,
  name: string,
  overrides: Partial<NewSettlement> = {},
): Promise<string> => {
  const settlement = aSettlement(name, overrides);
  await tx.deals.insertMissing([aDeal(name)]);
  await tx.settlements.insert([settlement]);
  return settlement.contractId;
};
