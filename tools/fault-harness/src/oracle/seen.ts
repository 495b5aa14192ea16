import { createHash } from 'node:crypto';
import { readTopic, topicName, type TopicKey } from '@v402/messaging';
import { UNDECIDED } from '../system/acted-on.js';
import type { Installation } from '../system/installation.js';

/** A published event, as a connector sees it. */
export interface SeenEvent {
  readonly id: string;
  readonly type: string;
  readonly topic: TopicKey;
  readonly subject: string;
  readonly sequence: string | undefined;
  readonly time: string;
  readonly data: EventData;
  /** SHA-256 of the record's value. */
  readonly digest: string;
}

export interface EventData {
  readonly side?: string;
  readonly legId?: string;
  readonly deliveryId?: string;
  readonly holdId?: string;
  readonly conflictsWith?: string;
  readonly rawDigest?: string;
  readonly code?: string;
  readonly amount?: Money;
  /** What is to be paid. */
  readonly instructedAmount?: Money;
  /** Receivers act once on each. */
  readonly idempotencyKey?: string;
}

interface Money {
  readonly amount: string;
  readonly currency: string;
}

/** An order as the order system has it. */
export interface SeenOrder {
  readonly kind: string;
  readonly reference: string;
  readonly contractId: string;
  readonly total: string;
  readonly currency: string;
  /** When it was asked for; undefined: the order system does not tell. */
  readonly askedAt?: string;
}

export interface SettlementRow {
  readonly contractId: string;
  readonly negotiationId: string;
  readonly current: boolean;
  readonly state: string;
  readonly total: string;
  readonly orderReference: string;
  /** How often it was delivered again. */
  readonly duplicates: number;
}

export interface RejectionRow {
  readonly rawDigest: string;
  readonly code: string;
  readonly occurrences: number;
}

export interface LegRow {
  readonly contractId: string;
  readonly side: string;
  readonly sum: string;
}

/** An entry in quarantine. */
export interface QuarantineRow {
  readonly id: string;
  readonly reason: string;
  readonly contractId: string | null;
  readonly conflictsWith: string | null;
  readonly rawDigest: string | null;
  readonly holdId: string | null;
  /** `release`, `reject` or `redrive`; null as long as nobody has decided. */
  readonly resolution: string | null;
  readonly occurrences: number;
}

export interface HoldRow {
  readonly id: string;
  readonly negotiationId: string;
  readonly contractId: string;
  readonly reason: string;
  readonly isOpen: boolean;
  readonly resolution: string | null;
}

/** What an operator did, as it was written down. */
export interface AuditRow {
  readonly sequence: string;
  readonly at: string;
  readonly actor: string;
  readonly login: string;
  readonly action: string;
  /** The case. */
  readonly subject: string;
  readonly contractId: string | null;
  readonly reason: string;
  readonly details: Readonly<Record<string, string>>;
  readonly previous: string;
  readonly digest: string;
}

/** Everything that can be seen from outside once the run is over. */
export interface Seen {
  readonly events: readonly SeenEvent[];
  readonly orders: readonly SeenOrder[];
  readonly settlements: readonly SettlementRow[];
  /** Sums of the agreed legs, by settlement and side. */
  readonly legs: readonly LegRow[];
  readonly rejections: readonly RejectionRow[];
  readonly quarantine: readonly QuarantineRow[];
  /** Contracts of which an order may have been asked for. */
  readonly attempted: ReadonlySet<string>;
  readonly holds: readonly HoldRow[];
  /** In the order of their numbers. */
  readonly audit: readonly AuditRow[];
  /** Digests of the kept bytes, computed anew where they are kept whole. */
  readonly keptBytes: ReadonlySet<string>;
  /** SHA-256 of the bytes of each event that the database has, by its id. */
  readonly storedEvents: ReadonlyMap<string, string>;
  readonly stuck: readonly string[];
}

const OUTPUTS: readonly TopicKey[] = ['events', 'payments', 'deliveries', 'rejections'];

const SETTLEMENTS = `
  SELECT encode(contract_id, 'hex') AS "contractId", negotiation_id AS "negotiationId", current, state,
         total::text AS total, order_reference AS "orderReference", duplicates
    FROM v402.settlement JOIN v402.deal ON deal.key = deal_key`;
const LEGS = `
  SELECT encode(contract_id, 'hex') AS "contractId", side, trim_scale(sum(amount))::text AS sum
    FROM v402.payment_leg GROUP BY contract_id, side`;
const REJECTIONS = `SELECT encode(raw_digest, 'hex') AS "rawDigest", code, occurrences FROM v402.rejection`;
const QUARANTINE = `
  SELECT id::text AS id, reason, encode(contract_id, 'hex') AS "contractId",
         encode(conflicts_with, 'hex') AS "conflictsWith", encode(raw_digest, 'hex') AS "rawDigest",
         hold_id::text AS "holdId", resolution, occurrences
    FROM v402.quarantine`;
const ATTEMPTED = `SELECT DISTINCT encode(contract_id, 'hex') AS "contractId" FROM v402.order_placement WHERE attempt > 0`;
const HOLDS = `
  SELECT id::text AS id, negotiation_id AS "negotiationId", encode(contract_id, 'hex') AS "contractId", reason,
         released_at IS NULL AS "isOpen", resolution
    FROM v402.hold JOIN v402.deal ON deal.key = deal_key`;
const AUDIT = `
  SELECT sequence::text AS sequence, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, actor, login,
         action, subject::text AS subject, encode(contract_id, 'hex') AS "contractId", reason, details,
         encode(previous, 'hex') AS previous, encode(digest, 'hex') AS digest
    FROM v402.audit_entry ORDER BY audit_entry.sequence`;
const KEPT = `
  SELECT encode(CASE WHEN truncated THEN digest ELSE sha256(bytes) END, 'hex') AS digest FROM v402.raw_message`;
const STORED = `SELECT id::text AS id, encode(sha256(bytes), 'hex') AS digest FROM v402.event`;
const BOOK = `
  SELECT kind, reference, encode(contract_id, 'hex') AS "contractId", total::text AS total, currency
    FROM orderbook.order_head`;
/** What is under way though nothing is due any more, or waits although no person can see why. */
const STUCK = `
  SELECT 'order ' || encode(contract_id, 'hex') || ' ' || side || ' is ' || state AS what
    FROM v402.order_placement WHERE state IN ('placing', 'unknown')
  UNION ALL
  SELECT 'event ' || event_id || ' is not published' FROM v402.outbox
  UNION ALL
  SELECT 'stream ' || encode(stream, 'hex') || ' is parked: ' || code FROM v402.parked_stream
  UNION ALL
  SELECT code || ' in partition ' || partition || ', of which nothing was removed'
    FROM v402.input_loss WHERE code <> 'input_offsets_moved'
  UNION ALL
  SELECT 'case ' || id || ' (' || reason || ') is not decided, though operators try' FROM (${UNDECIDED}) undecided
  UNION ALL
  SELECT 'work ' || kind || ' of ' || encode(contract_id, 'hex') || ' ' || side || ' ' || subject_id || ' is overdue'
    FROM v402.work JOIN v402.settlement s USING (contract_id)
   WHERE due_at < clock_timestamp() - interval '5 seconds' AND s.current
     AND NOT EXISTS (SELECT FROM v402.hold h WHERE h.deal_key = s.deal_key AND h.released_at IS NULL)
  UNION ALL
  SELECT what || ' of ' || encode(r.contract_id, 'hex') || ' ' || r.side || ' ' || subject_id || ' waits without work'
    FROM (SELECT contract_id, side, 'order' AS what, 'order' AS kind, '' AS subject_id, true AS begins
            FROM v402.order_placement WHERE state = 'waiting'
           UNION ALL
          SELECT contract_id, side, 'payment', 'payment_leg', leg_id, state = 'scheduled' OR trigger = 'agreed'
            FROM v402.payment_leg WHERE state IN ('waiting', 'scheduled') AND (state = 'scheduled' OR trigger IN ('agreed', 'ordered'))
           UNION ALL
          SELECT contract_id, side, 'delivery', 'delivery', delivery_id, false FROM v402.delivery WHERE state = 'waiting') r
    JOIN v402.settlement s USING (contract_id)
   WHERE s.current
     AND (begins OR EXISTS (SELECT FROM v402.order_placement o
                             WHERE o.contract_id = r.contract_id AND o.side = r.side AND o.state = 'created'))
     AND NOT EXISTS (SELECT FROM v402.work w WHERE w.kind = r.kind AND w.contract_id = r.contract_id
                                               AND w.side = r.side AND w.subject_id = r.subject_id)
     AND NOT EXISTS (SELECT FROM v402.hold h WHERE h.deal_key = s.deal_key AND h.released_at IS NULL)`;

/**
 * Reads the topics, the database and the order system.
 * @param orders as the order desk has them; undefined: they stand in the embedded order book
 */
export async function look(installation: Installation, orders: readonly SeenOrder[] | undefined): Promise<Seen> {
  const { system } = installation;
  const read = <Row>(sql: string): Promise<readonly Row[]> => installation.sql<Row>(sql);
  const topics = OUTPUTS.map(async (key) => {
    const records = await readTopic(system.connection, topicName(system.prefix, key), { timeoutMs: 120_000 });
    return records.map(({ value }) => seenEvent(key, value ?? Buffer.alloc(0)));
  });
  const stored = await read<{ id: string; digest: string }>(STORED);
  const kept = await read<{ digest: string }>(KEPT);
  return {
    events: (await Promise.all(topics)).flat(),
    orders: orders ?? (await read<SeenOrder>(BOOK)),
    settlements: await read(SETTLEMENTS),
    legs: await read(LEGS),
    rejections: await read(REJECTIONS),
    quarantine: await read(QUARANTINE),
    attempted: new Set((await read<{ contractId: string }>(ATTEMPTED)).map(({ contractId }) => contractId)),
    holds: await read(HOLDS),
    audit: await read(AUDIT),
    keptBytes: new Set(kept.map(({ digest }) => digest)),
    storedEvents: new Map(stored.map(({ id, digest }) => [id, digest])),
    stuck: (await read<{ what: string }>(STUCK)).map(({ what }) => what),
  };
}

function seenEvent(topic: TopicKey, value: Buffer): SeenEvent {
  const { id, type, subject, sequence, time, data } = JSON.parse(value.toString('utf8')) as SeenEvent;
  const digest = createHash('sha256').update(value).digest('hex');
  return { id, type, topic, subject, sequence, time, data, digest };
}
