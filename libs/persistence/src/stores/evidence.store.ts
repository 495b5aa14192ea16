import {
  coordinatesKey,
  type DecidedMessage,
  type DecisionRecord,
  type EvidenceStore,
  type KafkaCoordinates,
  type QuarantineRecord,
  type RawMessage,
  type RejectionRecord,
  rejectionKey,
} from '@v402/application';
import { type Arrival, type ContractId, instantOfMicros, type RefusalCode } from '@v402/domain';
import { columns, type Session } from '../session.js';
import { bytea, bytes, hexOf, microsOf, optionalBytea } from '../values.js';

// Every statement that may meet a row of somebody else goes through its rows in key order: waiting has one direction.

const KEEP_RAW = `
  INSERT INTO v402.raw_message (digest, size, bytes, truncated)
  SELECT digest, size, bytes, truncated
  FROM unnest($1::bytea[], $2::int[], $3::bytea[], $4::boolean[]) AS n (digest, size, bytes, truncated)
  ORDER BY digest
  ON CONFLICT (digest) DO NOTHING`;

const RECORD_DECISIONS = `
  INSERT INTO v402.decision (outcome, code, contract_id, raw_digest, topic, partition, kafka_offset, arrival,
    arrival_source, registry_digest, keys, code_version)
  SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[], $5::text[], $6::int[], $7::bigint[],
    $8::timestamptz[], $9::text[], $10::bytea[], $11::jsonb[], $12::text[])`;

// xmax is the transaction that locked or replaced a row: 0 on a row that was inserted just now.
const RECORD_REJECTIONS = `
  INSERT INTO v402.rejection AS r (raw_digest, code, fault_at, contract_id, negotiation_id, occurrences)
  SELECT raw_digest, code, fault_at, contract_id, negotiation_id, occurrences
  FROM unnest($1::bytea[], $2::text[], $3::text[], $4::bytea[], $5::text[], $6::int[])
    AS n (raw_digest, code, fault_at, contract_id, negotiation_id, occurrences)
  ORDER BY raw_digest, code
  ON CONFLICT (raw_digest, code) DO UPDATE SET occurrences = r.occurrences + excluded.occurrences
  RETURNING ${hexOf('raw_digest')} AS "rawDigest", code, xmax = 0 AS "isNew"`;

const QUARANTINED = `
  SELECT ${hexOf('contract_id')} AS "contractId" FROM v402.quarantine
  WHERE reason = 'equivocation' AND contract_id = ANY ($1::bytea[])`;

// An entry is there once per what it is about (see the table's unique indexes); another one about the same stays out.
const QUARANTINE = `
  INSERT INTO v402.quarantine (id, reason, code, contract_id, conflicts_with, raw_digest, side, hold_id)
  SELECT id, reason, code, contract_id, conflicts_with, raw_digest, side, hold_id
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::bytea[], $6::bytea[], $7::text[], $8::uuid[])
    AS n (id, reason, code, contract_id, conflicts_with, raw_digest, side, hold_id)
  ORDER BY reason, contract_id, raw_digest, side
  ON CONFLICT DO NOTHING`;

const QUARANTINE_UNDECIDABLE = `
  WITH parked AS (
    INSERT INTO v402.quarantine AS q (id, reason, code, raw_digest)
    VALUES ($1, 'undecidable_message', 'undecidable_message', $2)
    ON CONFLICT (raw_digest) WHERE reason = 'undecidable_message' AND (resolution IS NULL OR resolution = 'reject')
      DO UPDATE SET occurrences = q.occurrences + 1
    RETURNING xmax = 0 AS "isNew"
  )
  SELECT (SELECT count(*)::int FROM v402.quarantine WHERE reason = 'undecidable_message' AND raw_digest = $2) AS earlier
  FROM parked WHERE "isNew"`;

const COUNT_QUARANTINED = `
  WITH locked AS (
    SELECT q.id, n.count
    FROM v402.quarantine q JOIN unnest($1::bytea[], $2::int[]) AS n (contract_id, count) USING (contract_id)
    WHERE q.reason = 'equivocation'
    ORDER BY q.contract_id FOR NO KEY UPDATE OF q
  )
  UPDATE v402.quarantine q SET occurrences = q.occurrences + locked.count FROM locked WHERE q.id = locked.id`;

// One that is open is locked, too: who closes it at this moment is waited for, and who comes later waits for us.
const COUNT_CLOSED = `
  WITH parked AS (
    SELECT q.id, q.resolution, n.count
    FROM v402.quarantine q
    JOIN (SELECT raw_digest, count(*)::int FROM unnest($1::bytea[]) AS n (raw_digest) GROUP BY raw_digest) AS n
      USING (raw_digest)
    WHERE q.reason = 'undecidable_message'
    ORDER BY q.raw_digest FOR NO KEY UPDATE OF q
  )
  UPDATE v402.quarantine q SET occurrences = q.occurrences + parked.count
  FROM parked WHERE q.id = parked.id AND parked.resolution = 'reject'
  RETURNING ${hexOf('q.raw_digest')} AS digest`;

const EARLIER_ARRIVALS = `
  SELECT DISTINCT ON (d.topic, d.partition, d.kafka_offset)
    d.topic, d.partition, d.kafka_offset AS "offset", ${microsOf('d.arrival')} AS arrival, d.arrival_source AS source
  FROM v402.decision d JOIN unnest($1::text[], $2::int[], $3::bigint[], $4::bytea[])
    AS n (topic, partition, kafka_offset, raw_digest) USING (topic, partition, kafka_offset, raw_digest)
  ORDER BY d.topic, d.partition, d.kafka_offset, d.id`;

type ArrivalRow = {
  topic: string;
  partition: number;
  offset: string;
  arrival: string;
  source: Arrival['source'];
};

export class PgEvidenceStore implements EvidenceStore {
  constructor(private readonly session: Session) {}

  async keepRaw(messages: readonly RawMessage[]): Promise<void> {
    await this.session.write(
      KEEP_RAW,
      columns(
        messages,
        (message) => bytea(message.digest),
        (message) => message.size,
        (message) => bytes(message.bytes),
        (message) => message.truncated,
      ),
    );
  }

  async recordDecisions(decisions: readonly DecisionRecord[]): Promise<void> {
    await this.session.write(
      RECORD_DECISIONS,
      columns(
        decisions,
        (decision) => decision.outcome,
        (decision) => decision.code ?? null,
        (decision) => optionalBytea(decision.contractId),
        (decision) => bytea(decision.rawDigest),
        (decision) => decision.coordinates.topic,
        (decision) => decision.coordinates.partition,
        (decision) => decision.coordinates.offset,
        (decision) => decision.arrival.at,
        (decision) => decision.arrival.source,
        (decision) => bytea(decision.registryDigest),
        (decision) => JSON.stringify(decision.keys),
        (decision) => decision.codeVersion,
      ),
    );
  }

  async recordRejections(rejections: readonly RejectionRecord[]): Promise<ReadonlySet<string>> {
    const rows = await this.session.query<{ rawDigest: string; code: RefusalCode; isNew: boolean }>(
      RECORD_REJECTIONS,
      columns(
        rejections,
        (rejection) => bytea(rejection.rawDigest),
        (rejection) => rejection.code,
        (rejection) => rejection.where ?? null,
        (rejection) => optionalBytea(rejection.contractId),
        (rejection) => rejection.negotiationId ?? null,
        (rejection) => rejection.occurrences,
      ),
    );
    return new Set(rows.filter((row) => row.isNew).map(rejectionKey));
  }

  async quarantined(ids: readonly ContractId[]): Promise<ReadonlySet<ContractId>> {
    const rows = await this.session.query<{ contractId: string }>(QUARANTINED, [ids.map(bytea)]);
    return new Set(rows.map((row) => row.contractId));
  }

  async quarantine(entries: readonly QuarantineRecord[]): Promise<void> {
    await this.session.write(
      QUARANTINE,
      columns(
        entries,
        (entry) => entry.id,
        (entry) => entry.reason,
        (entry) => entry.code,
        (entry) => optionalBytea(entry.contractId),
        (entry) => optionalBytea(entry.conflictsWith),
        (entry) => optionalBytea(entry.rawDigest),
        (entry) => entry.side ?? null,
        (entry) => entry.holdId ?? null,
      ),
    );
  }

  async quarantineUndecidable({ id, rawDigest }: { id: string; rawDigest: string }): Promise<number | undefined> {
    const [parked] = await this.session.query<{ earlier: number }>(QUARANTINE_UNDECIDABLE, [id, bytea(rawDigest)]);
    return parked && parked.earlier + 1;
  }

  async countQuarantined(counts: ReadonlyMap<ContractId, number>): Promise<void> {
    await this.session.write(COUNT_QUARANTINED, [[...counts.keys()].map(bytea), [...counts.values()]]);
  }

  async countClosed(digests: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.session.query<{ digest: string }>(COUNT_CLOSED, [digests.map(bytea)]);
    return new Set(rows.map((row) => row.digest));
  }

  async earlierArrivals(messages: readonly DecidedMessage[]): Promise<ReadonlyMap<string, Arrival>> {
    const rows = await this.session.query<ArrivalRow>(EARLIER_ARRIVALS, [
      ...coordinateColumns(messages.map(({ coordinates }) => coordinates)),
      messages.map(({ rawDigest }) => bytea(rawDigest)),
    ]);
    return new Map(
      rows.map(({ topic, partition, offset, arrival, source }) => [
        coordinatesKey({ topic, partition, offset: BigInt(offset) }),
        { at: instantOfMicros(BigInt(arrival)), source },
      ]),
    );
  }
}

const coordinateColumns = (coordinates: readonly KafkaCoordinates[]): ReturnType<typeof columns> =>
  columns(
    coordinates,
    ({ topic }) => topic,
    ({ partition }) => partition,
    ({ offset }) => offset,
  );
