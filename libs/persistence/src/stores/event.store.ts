import type { EventNames, EventStore, PublishableEvent, StoredEvent, StreamPosition } from '@v402/application';
import type { ContractId } from '@v402/domain';
import { columns, type Session } from '../session.js';
import { bytea, bytes, hexOf, microsOf, timestampOf } from '../values.js';
import { shareOut } from './shard-share.js';

/** As many as the migration makes rows in `relay_shard`. */
const SHARDS = 16;

/** SQL: the shard of a stream. A stream is a SHA-256, so any byte of it spreads evenly and for ever the same way. */
const shardOf = (stream: string): string => `get_byte(${stream}, 0) % ${SHARDS}`;

// Serial numbers are given out in the order of the sorted rows: the outbox keeps the order of the events.
const APPEND = `
  WITH new AS MATERIALIZED (
    SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::text[], $5::int[], $6::bigint[], $7::bytea[])
      WITH ORDINALITY AS n (id, stream, type, topic, sequence, occurred_at, bytes, place)
  ), appended AS (
    INSERT INTO v402.event (id, stream, type, topic, sequence, occurred_at, bytes)
    SELECT id, stream, type, topic, sequence, ${timestampOf('occurred_at')}, bytes FROM new
  )
  INSERT INTO v402.outbox (event_id, stream, topic, shard)
  SELECT id, stream, topic, ${shardOf('stream')} FROM new ORDER BY place`;

const NAMES_OF = `
  SELECT topic, convert_from(bytes, 'UTF8')::jsonb ->> 'source' AS source FROM v402.event
  WHERE stream = ANY ($1::bytea[]) ORDER BY position DESC LIMIT 1`;

const SAVE_POSITIONS = `
  UPDATE v402.settlement s
  SET settlement_sequence = n.settlement, payment_sequence = n.payments, delivery_sequence = n.deliveries,
    last_event_at = ${timestampOf('n.last_event_at')}
  FROM unnest($1::bytea[], $2::int[], $3::int[], $4::int[], $5::bigint[])
    AS n (contract_id, settlement, payments, deliveries, last_event_at)
  WHERE s.contract_id = n.contract_id`;

/** What a relay has, and whether anything is left to share: half a lease long that answers most calls, without a write. */
const GLANCE = `
  SELECT
    coalesce(array_agg(shard::int ORDER BY shard)
      FILTER (WHERE owner = $1 AND lease_until > clock_timestamp() + $2 * interval '0.5 millisecond'), '{}') AS fresh,
    count(*) FILTER (WHERE owner = $1)::int AS held,
    count(*) FILTER (WHERE owner IS NULL OR lease_until <= clock_timestamp())::int AS free,
    (SELECT count(*)::int FROM v402.relay WHERE live_until > clock_timestamp()) AS live
  FROM v402.relay_shard`;

// All rows, in order: whoever leases waits here until the one before it has committed.
const LOCK_SHARDS = 'SELECT FROM v402.relay_shard ORDER BY shard FOR NO KEY UPDATE';
const SHOW_ALIVE = `
  INSERT INTO v402.relay (owner, live_until) VALUES ($1, clock_timestamp() + $2 * interval '1 millisecond')
  ON CONFLICT (owner) DO UPDATE SET live_until = excluded.live_until`;
const FORGET_DEAD = 'DELETE FROM v402.relay WHERE live_until <= clock_timestamp()';
const LIVE = 'SELECT owner FROM v402.relay';
const LEASES = `
  SELECT shard, CASE WHEN lease_until > clock_timestamp() THEN owner END AS owner FROM v402.relay_shard ORDER BY shard`;
const HOLD = `
  UPDATE v402.relay_shard SET owner = $2, lease_until = clock_timestamp() + $3 * interval '1 millisecond'
  WHERE shard = ANY ($1::smallint[])`;
const RENEW = `
  WITH ours AS (
    SELECT shard FROM v402.relay_shard WHERE owner = $1 AND lease_until > clock_timestamp()
    ORDER BY shard FOR NO KEY UPDATE
  )
  UPDATE v402.relay_shard s SET lease_until = clock_timestamp() + $2 * interval '1 millisecond'
  FROM ours WHERE s.shard = ours.shard`;
const GIVE_BACK = `
  UPDATE v402.relay_shard SET owner = NULL, lease_until = NULL WHERE shard = ANY ($1::smallint[])`;
const GIVE_ALL_BACK = 'UPDATE v402.relay_shard SET owner = NULL, lease_until = NULL WHERE owner = $1';
const LEAVE = 'DELETE FROM v402.relay WHERE owner = $1';

/** What one look at the outbox may bring into memory; a single event over it still comes, alone. */
const UNPUBLISHED_BYTES = 8 * 1024 * 1024;

// Each shard is read along its index only as far as needed, however much waits behind. A value's length is known without
// reading the value.
const UNPUBLISHED = `
  WITH oldest AS (
    SELECT o.id, o.event_id
    FROM unnest($1::smallint[]) AS n (shard), LATERAL (
      SELECT id, event_id FROM v402.outbox o
      WHERE o.shard = n.shard AND o.topic <> ALL ($3::text[]) AND NOT EXISTS (SELECT FROM v402.parked_stream p WHERE p.stream = o.stream)
      ORDER BY o.id LIMIT $2
    ) AS o
    ORDER BY o.id LIMIT $2
  ), sized AS (
    SELECT o.id AS place, e.*, octet_length(e.bytes) AS size, sum(octet_length(e.bytes)) OVER (ORDER BY o.id) AS up_to
    FROM oldest o JOIN v402.event e ON e.id = o.event_id
  )
  SELECT s.place, s.id, s.type, ${hexOf('s.stream')} AS stream, s.topic, s.sequence,
    ${microsOf('s.occurred_at')} AS "occurredAt", s.bytes
  FROM sized s WHERE s.up_to <= ${UNPUBLISHED_BYTES} OR s.up_to = s.size
  ORDER BY s.place`;

const MARK_PUBLISHED = 'DELETE FROM v402.outbox WHERE id = ANY ($1::bigint[])';

const PARK = `
  INSERT INTO v402.parked_stream (stream, event_id, code) VALUES ($1, $2, $3) ON CONFLICT (stream) DO NOTHING`;

type GlanceRow = { fresh: number[]; held: number; free: number; live: number };

/** Our leases are fresh, nothing is free, and we hold no more than our share: there is nothing to do. */
const isSettled = ({ fresh, held, free, live }: GlanceRow): boolean =>
  held > 0 && fresh.length === held && free === 0 && held <= Math.ceil(SHARDS / live);

type EventRow = {
  place: string;
  id: string;
  type: string;
  stream: string;
  topic: string;
  sequence: number | null;
  occurredAt: string;
  bytes: Buffer;
};

export class PgEventStore implements EventStore {
  constructor(private readonly session: Session) {}

  async append(events: readonly StoredEvent[]): Promise<void> {
    await this.session.write(
      APPEND,
      columns(
        events,
        (event) => event.id,
        (event) => bytea(event.stream),
        (event) => event.type,
        (event) => event.topic,
        (event) => event.sequence ?? null,
        (event) => event.occurredAt,
        (event) => bytes(event.bytes),
      ),
    );
  }

  async namesOf(streams: readonly string[]): Promise<EventNames | undefined> {
    const [names] = await this.session.query<{ topic: string; source: string }>(NAMES_OF, [streams.map(bytea)]);
    return names;
  }

  async savePositions(positions: ReadonlyMap<ContractId, StreamPosition>): Promise<void> {
    const entries = [...positions];
    await this.session.writeEach(
      SAVE_POSITIONS,
      entries,
      columns(
        entries,
        ([id]) => bytea(id),
        ([, position]) => position.settlement,
        ([, position]) => position.payments,
        ([, position]) => position.deliveries,
        ([, position]) => position.lastEventAt ?? null,
      ),
    );
  }

  async leaseShards(owner: string, leaseMs: number): Promise<readonly number[]> {
    const [glance] = await this.session.query<GlanceRow>(GLANCE, [owner, leaseMs]);
    if (glance !== undefined && isSettled(glance)) return glance.fresh;
    await this.session.write(LOCK_SHARDS);
    await this.session.write(SHOW_ALIVE, [owner, leaseMs]);
    await this.session.write(FORGET_DEAD);
    const live = await this.session.query<{ owner: string }>(LIVE);
    const leases = await this.session.query<{ shard: number; owner: string | null }>(LEASES);
    const { hold, giveBack } = shareOut(
      leases.map((lease) => ({ shard: lease.shard, owner: lease.owner ?? undefined })),
      new Set(live.map((row) => row.owner)),
      owner,
    );
    await this.session.write(GIVE_BACK, [giveBack]);
    await this.session.write(HOLD, [hold, owner, leaseMs]);
    return hold;
  }

  async renewShards(owner: string, leaseMs: number): Promise<void> {
    const renewed = await this.session.write(RENEW, [owner, leaseMs]);
    if (renewed > 0) await this.session.write(SHOW_ALIVE, [owner, leaseMs]);
  }

  async releaseShards(owner: string): Promise<void> {
    await this.session.write(LOCK_SHARDS);
    await this.session.write(GIVE_ALL_BACK, [owner]);
    await this.session.write(LEAVE, [owner]);
  }

  /** At most `limit`, and at most 8 MiB unless the first alone is larger. */
  async unpublished(
    shards: readonly number[],
    limit: number,
    exceptTopics: readonly string[] = [],
  ): Promise<readonly PublishableEvent[]> {
    const rows = await this.session.query<EventRow>(UNPUBLISHED, [shards, limit, exceptTopics]);
    return rows.map((row) => ({
      ...row,
      place: BigInt(row.place),
      sequence: row.sequence ?? undefined,
      occurredAt: BigInt(row.occurredAt),
    }));
  }

  async markPublished(events: readonly PublishableEvent[]): Promise<void> {
    await this.session.write(MARK_PUBLISHED, [events.map((event) => event.place)]);
  }

  async park(event: PublishableEvent, code: string): Promise<void> {
    await this.session.write(PARK, [bytea(event.stream), event.id, code]);
  }
}
