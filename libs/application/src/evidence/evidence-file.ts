import { canonicalBytes, sha256Hex, SUITES } from '@v402/contract';
import {
  DELIVERY_STATES,
  isCalendarDate,
  isInstant,
  ORDER_PLACEMENT_STATES,
  PAYMENT_LEG_STATES,
  RAILS,
  SETTLEMENT_STATES,
  SIDES,
  TRIGGERS,
  type Side,
} from '@v402/domain';
import { z } from 'zod';

/** Names the format in a file's `format`; the part before the slash tells evidence from anything else. */
export const EVIDENCE_FORMAT = 'v402-evidence/1';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const base64 = z.base64();
const instant = z.string().refine(isInstant);
const decimal = z.string().regex(/^-?\d+(\.\d+)?$/);
const date = z.string().refine(isCalendarDate);
const count = z.int().min(0);
const side = z.enum(SIDES as readonly [Side, ...Side[]]);
const text = z.string().min(1);

const signature = z.strictObject({ role: side, suite: z.enum(SUITES), kid: text, signature: z.string() });

const message = z.strictObject({
  rawDigest: hash,
  size: count,
  /** Of a message over 1,000,000 bytes only the beginning is kept. */
  truncated: z.boolean(),
  bytes: base64,
  storedAt: instant,
});

const decision = z.strictObject({
  outcome: z.enum(['accepted', 'rejected', 'quarantined', 'undecidable']),
  code: text.nullable(),
  contractId: hash.nullable(),
  rawDigest: hash,
  kafka: z.strictObject({ topic: text, partition: count, offset: z.string().regex(/^\d+$/) }),
  arrival: z.strictObject({ at: instant, source: z.enum(['broker', 'database']) }),
  registryDigest: hash,
  /** The registry's entries that the signatures were checked with, as JSON text in canonical form. */
  keys: z.array(z.strictObject({ role: side, suite: z.enum(SUITES), kid: text, entry: text })),
  codeVersion: text,
  decidedAt: instant,
});

const rejection = z.strictObject({
  rawDigest: hash,
  code: text,
  where: z.string().nullable(),
  contractId: hash.nullable(),
  negotiationId: z.string().nullable(),
  occurrences: z.int().min(1),
  rejectedAt: instant,
});

const contract = z.strictObject({
  contractId: hash,
  shortRef: text,
  /** The RFC 8785 form as text: its UTF-8 bytes are what was hashed and signed. */
  canonical: text,
  signatures: z.array(signature),
});

const settlement = z.strictObject({
  state: z.enum(SETTLEMENT_STATES),
  current: z.boolean(),
  orderReference: text,
  supersedes: hash.nullable(),
  supersededBy: hash.nullable(),
  currency: text,
  total: decimal,
  acceptedAt: instant,
  duplicates: count,
});

const link = z.strictObject({
  contractId: hash,
  shortRef: text,
  /** As the parties signed it. */
  supersedes: hash.nullable(),
  current: z.boolean(),
  acceptedAt: instant,
});

const order = z.strictObject({
  side,
  state: z.enum(ORDER_PLACEMENT_STATES),
  attempt: count,
  unknowns: count,
  /** How often an operator had it tried again. */
  redrives: count,
  /** The contract that the order was created for, where an operator let an amendment take it over. */
  adoptedFrom: hash.nullable(),
  orderSystem: text.nullable(),
  orderNumber: text.nullable(),
  orderUrl: text.nullable(),
  code: text.nullable(),
  orderedAt: instant.nullable(),
});

const leg = z.strictObject({
  side,
  legId: text,
  number: z.int().min(1),
  state: z.enum(PAYMENT_LEG_STATES),
  attempt: z.int().min(1),
  trigger: z.enum(TRIGGERS),
  days: count,
  rail: z.enum(RAILS),
  amount: decimal,
  currency: text,
  triggeredAt: instant.nullable(),
  dueDate: date.nullable(),
  code: text.nullable(),
});

const delivery = z.strictObject({
  side,
  deliveryId: text,
  number: z.int().min(1),
  state: z.enum(DELIVERY_STATES),
  attempt: z.int().min(1),
  notBefore: date,
  notAfter: date,
  code: text.nullable(),
});

const resolution = z.enum(['release', 'reject', 'redrive']).nullable();

const hold = z.strictObject({
  id: z.uuid(),
  contractId: hash,
  reason: text,
  evidence: z.json(),
  placedBy: text,
  placedAt: instant,
  releasedBy: text.nullable(),
  releasedAt: instant.nullable(),
  resolution,
});

const quarantine = z.strictObject({
  id: z.uuid(),
  reason: text,
  code: text,
  contractId: hash.nullable(),
  conflictsWith: hash.nullable(),
  rawDigest: hash.nullable(),
  side: side.nullable(),
  holdId: z.uuid().nullable(),
  occurrences: z.int().min(1),
  quarantinedAt: instant,
  resolution,
  resolvedBy: text.nullable(),
  resolvedAt: instant.nullable(),
});

/** What an operator did, as the audit trail has it: each entry holds the digest of the one before. */
const auditEntry = z.strictObject({
  sequence: z.string().regex(/^[1-9]\d*$/),
  at: instant,
  actor: text,
  login: text,
  action: text,
  subject: z.uuid(),
  contractId: hash.nullable(),
  reason: z.string(),
  details: z.record(z.string(), z.string()),
  previous: hash,
  digest: hash,
});

const event = z.strictObject({
  id: z.uuid(),
  type: text,
  topic: text,
  sequence: z.int().min(1).nullable(),
  occurredAt: instant,
  /** Whether Kafka has acknowledged it. */
  published: z.boolean(),
  sha256: hash,
  bytes: base64,
});

const snapshot = z.strictObject({
  kind: z.enum(['sales_order', 'purchase_order']),
  reference: text,
  orderNumber: text,
  url: text.exactOptional(),
  contractId: hash,
  buyer: text,
  seller: text,
  currency: text,
  total: decimal,
  lines: z.array(
    z.strictObject({ id: text, sku: text, quantity: decimal, unit: text, unitPrice: decimal, amount: decimal }),
  ),
  charges: z.array(z.strictObject({ id: text, type: text, amount: decimal })),
  deliveries: z.array(
    z.strictObject({
      id: text,
      notBefore: date,
      notAfter: date,
      items: z.array(z.strictObject({ line: text, quantity: decimal })),
    }),
  ),
});

/** What the order system itself said when the file was made; null where it was not asked. */
const orderSystem = z.strictObject({
  name: text,
  askedAt: instant,
  orders: z.array(z.strictObject({ side, order: snapshot.nullable() })),
});

/** What the database says of one contract or one refused message: everything but what the order system adds. */
const facts = {
  /** What the file is about: a contract, or a message that never became one. */
  subject: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('contract'), contractId: hash }),
    z.strictObject({ kind: z.literal('message'), rawDigest: hash }),
  ]),
  messages: z.array(message).min(1),
  decisions: z.array(decision).min(1),
  rejections: z.array(rejection),
  deal: z.strictObject({ key: hash, negotiationId: text, buyer: text, seller: text }).nullable(),
  settlement: settlement.nullable(),
  /** The accepted contracts of the deal, in the order of their acceptance. */
  chain: z.array(link),
  orders: z.array(order),
  legs: z.array(leg),
  deliveries: z.array(delivery),
  holds: z.array(hold),
  quarantine: z.array(quarantine),
  /** Entries of the operators' audit trail about the contract, or about its holds and quarantine entries. */
  audit: z.array(auditEntry),
  events: z.array(event),
};

export const evidenceSchema = z.strictObject({
  format: z.literal(EVIDENCE_FORMAT),
  /** By the database's clock, and with which release. */
  collectedAt: instant,
  codeVersion: text,
  ...facts,
  /** The contract that was accepted or quarantined; null where none of the messages ever was. */
  contract: contract.nullable(),
  orderSystem: orderSystem.nullable(),
  /** SHA-256 of the RFC 8785 form of all other members. It shows that the file is whole, not who made it. */
  sealed: hash,
});

/** An evidence file, `v402-evidence/1`, as docs/evidence.md describes it. */
export type EvidenceFile = z.infer<typeof evidenceSchema>;
/** What the database has on one contract or message, read at one moment. */
export type EvidenceFacts = Omit<EvidenceFile, 'format' | 'codeVersion' | 'contract' | 'orderSystem' | 'sealed'>;

/** Puts the digest over everything else into the file. */
export function seal(unsealed: Omit<EvidenceFile, 'sealed'>): EvidenceFile {
  return { ...unsealed, sealed: sealOf(unsealed) };
}

/** The digest that the file's `sealed` has to be. */
export function sealOf(file: Omit<EvidenceFile, 'sealed'> | EvidenceFile): string {
  const rest = Object.entries(file).filter(([name]) => name !== 'sealed');
  return sha256Hex(canonicalBytes(Object.fromEntries(rest)));
}
