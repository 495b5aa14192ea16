import { decimalOf, hexOf, microsOf, timestampOf } from '../values.js';

const IN_WINDOW = (column: string): string =>
  `${column} >= ${timestampOf('$1::bigint')} AND ${column} < ${timestampOf('$2::bigint')}`;

const EVENT = (event: string): string => `
  'id', ${event}.id, 'stream', ${hexOf(`${event}.stream`)}, 'type', ${event}.type, 'topic', ${event}.topic,
  'sequence', ${event}.sequence, 'occurredAt', ${microsOf(`${event}.occurred_at`)}::text,
  'sha256', encode(sha256(${event}.bytes), 'hex'), 'position', ${event}.position`;

/** One row a settlement, with all that belongs to it. */
const settlementsWhere = (condition: string): string => `
  SELECT ${hexOf('s.contract_id')} AS "contractId", ${microsOf('s.accepted_at')} AS "acceptedAt", s.current,
    s.order_reference AS "orderReference", ${decimalOf('s.total')} AS total, s.canonical,
    EXISTS (SELECT FROM v402.hold h WHERE h.deal_key = s.deal_key AND h.released_at IS NULL) AS held,
    EXISTS (SELECT FROM v402.hold h WHERE h.contract_id = s.contract_id AND h.reason = 'amendment_after_start'
      AND h.resolution = 'release') AS adopter,
    (SELECT count(*)::int FROM v402.decision d WHERE d.contract_id = s.contract_id AND d.outcome = 'accepted') AS acceptances,
    ARRAY(SELECT jsonb_build_object('side', o.side, 'state', o.state, 'orderNumber', o.order_number, 'hasWork',
        EXISTS (SELECT FROM v402.work w WHERE w.kind = 'order' AND w.contract_id = o.contract_id AND w.side = o.side),
        'adoptedFrom', ${hexOf('o.adopted_from')}, 'passedOn',
        EXISTS (SELECT FROM v402.settlement n JOIN v402.order_placement a ON a.contract_id = n.contract_id
          WHERE n.deal_key = s.deal_key AND a.side = o.side AND a.adopted_from = o.contract_id
            AND n.contract_id <> s.contract_id))
      FROM v402.order_placement o WHERE o.contract_id = s.contract_id) AS orders,
    ARRAY(SELECT jsonb_build_object('side', l.side, 'id', l.leg_id, 'state', l.state, 'attempt', l.attempt,
        'amount', ${decimalOf('l.amount')})
      FROM v402.payment_leg l WHERE l.contract_id = s.contract_id) AS legs,
    ARRAY(SELECT jsonb_build_object('side', y.side, 'id', y.delivery_id, 'state', y.state, 'attempt', y.attempt)
      FROM v402.delivery y WHERE y.contract_id = s.contract_id) AS deliveries,
    ARRAY(SELECT jsonb_build_object(${EVENT('e')})
      FROM v402.event e WHERE e.stream = s.contract_id AND e.sequence IS NOT NULL) AS events,
    s.settlement_sequence + s.payment_sequence + s.delivery_sequence AS sequences
  FROM v402.settlement s WHERE ${condition}`;

export const SETTLEMENTS = `${settlementsWhere(IN_WINDOW('s.accepted_at'))} ORDER BY s.accepted_at, s.contract_id`;

// Events of a settlement never occur before its acceptance. The summary of event_occurred finds those of the window.
export const EARLIER_SETTLEMENTS = settlementsWhere(`
  s.accepted_at < ${timestampOf('$1::bigint')} AND s.contract_id IN (
    SELECT e.stream FROM v402.event e WHERE ${IN_WINDOW('e.occurred_at')} AND e.sequence IS NOT NULL)`);

export const OTHER_EVENTS = `
  SELECT jsonb_build_object(${EVENT('e')}) AS event FROM v402.event e
  WHERE ${IN_WINDOW('e.occurred_at')} AND NOT (e.sequence IS NOT NULL AND EXISTS (
    SELECT FROM v402.settlement s WHERE s.contract_id = e.stream AND ${IN_WINDOW('s.accepted_at')}))`;

export const EVENTS_BY_ID = `
  SELECT jsonb_build_object(${EVENT('e')}, 'previous', p.position) AS event
  FROM v402.event e
  LEFT JOIN v402.event p ON p.stream = e.stream AND p.topic = e.topic AND p.sequence = e.sequence - 1
  WHERE e.id = ANY ($1::uuid[])`;

export const UNPUBLISHED = 'SELECT event_id AS id FROM v402.outbox WHERE event_id = ANY ($1::uuid[])';

export const ACCEPTANCES = `
  SELECT count(*)::int AS count,
    coalesce(array_agg(${hexOf('d.contract_id')}) FILTER (WHERE s.contract_id IS NULL), '{}') AS orphans
  FROM v402.decision d LEFT JOIN v402.settlement s ON s.contract_id = d.contract_id
  WHERE d.outcome = 'accepted' AND ${IN_WINDOW('d.decided_at')}`;

// The event of a refusal is written in the decision's own transaction, on the stream of the contract or of the digest.
export const REFUSALS = `
  SELECT count(*)::int AS count,
    coalesce(array_agg(DISTINCT ${hexOf('d.raw_digest')}) FILTER (WHERE NOT EXISTS (
      SELECT FROM v402.event e WHERE e.stream IN (d.raw_digest, d.contract_id) AND e.sequence IS NULL
        AND convert_from(e.bytes, 'UTF8')::jsonb #>> '{data,rawDigest}' = ${hexOf('d.raw_digest')}
        AND convert_from(e.bytes, 'UTF8')::jsonb #>> '{data,code}' = d.code)), '{}') AS unannounced
  FROM v402.decision d WHERE d.outcome <> 'accepted' AND ${IN_WINDOW('d.decided_at')}`;

// Some work is due since long ago when it is written: it waits since the settlement last moved. Of each kind the index gives
// what was due first, so that neither what is due later is looked at nor, after an outage, much more than is listed.
export const OVERDUE_WORK = `
  SELECT ${hexOf('o.contract_id')} AS subject, concat_ws(' ', o.kind, o.side, nullif(o.subject_id, '')) AS reason,
    ${microsOf('o.due_at')} AS since
  FROM unnest($3::text[]) AS k (kind), LATERAL (
    SELECT w.* FROM v402.work w JOIN v402.settlement s ON s.contract_id = w.contract_id
    WHERE w.kind = k.kind AND w.due_at < ${timestampOf('$1::bigint')}
      AND (s.last_event_at IS NULL OR s.last_event_at < ${timestampOf('$1::bigint')})
      AND (w.lease_until IS NULL OR w.lease_until < ${timestampOf('$1::bigint')})
      AND NOT EXISTS (SELECT FROM v402.hold h WHERE h.deal_key = s.deal_key AND h.released_at IS NULL)
    ORDER BY w.due_at LIMIT $2
  ) o
  ORDER BY o.due_at LIMIT $2`;

export const PARKED_STREAMS = `
  SELECT ${hexOf('stream')} AS subject, code AS reason, ${microsOf('parked_at')} AS since
  FROM v402.parked_stream ORDER BY parked_at LIMIT $1`;

export const OPEN_HOLDS = `
  SELECT ${hexOf('contract_id')} AS subject, reason, ${microsOf('placed_at')} AS since
  FROM v402.hold WHERE released_at IS NULL ORDER BY placed_at LIMIT $1`;

export const DECIDED_DIGESTS = `
  SELECT ${hexOf('digest')} AS id FROM v402.raw_message WHERE digest = ANY ($1::bytea[])`;

export const DECIDED_CONTRACTS = `
  SELECT ${hexOf('contract_id')} AS id FROM v402.settlement WHERE contract_id = ANY ($1::bytea[])
  UNION SELECT ${hexOf('contract_id')} FROM v402.quarantine
  WHERE reason = 'equivocation' AND contract_id = ANY ($1::bytea[])`;

export const DECIDED_AT = `
  SELECT d.topic, d.partition, d.kafka_offset AS "offset", array_agg(${hexOf('d.raw_digest')}) AS digests
  FROM v402.decision d JOIN unnest($1::text[], $2::int[], $3::bigint[]) AS n (topic, partition, kafka_offset)
    USING (topic, partition, kafka_offset)
  GROUP BY d.topic, d.partition, d.kafka_offset`;

export const NEXT_OFFSETS = 'SELECT partition, next_offset AS next FROM v402.input_offset WHERE topic = $1';

export const LOSSES = `
  SELECT code, topic, partition, first_offset AS "firstOffset", next_offset AS "nextOffset", process,
    ${microsOf('known_at')} AS "knownAt", ${microsOf('noticed_at')} AS "noticedAt"
  FROM v402.input_loss
  WHERE noticed_at >= ${timestampOf('$1::bigint')} AND known_at < ${timestampOf('$2::bigint')} ORDER BY id`;

export const LAST_RUN = 'SELECT report FROM v402.reconciliation ORDER BY finished_at DESC LIMIT 1';

// The first moment that is in none of the windows. Also a run that differs may have left something out.
export const LOOKED_UNTIL = `
  SELECT ${microsOf(`lower(
    tstzmultirange(tstzrange(greatest(${timestampOf('$2::bigint')}, min(window_from)), NULL))
    - coalesce(range_agg(tstzrange(window_from, window_to)) FILTER (WHERE NOT EXISTS (
        SELECT FROM jsonb_array_elements(report->'unproven') u WHERE u->>'code' = ANY ($1::text[]))), '{}'))`)} AS "until"
  FROM v402.reconciliation HAVING count(*) > 0`;

export const PROVEN_UNTIL = `
  SELECT ${microsOf('max(window_to)')} AS "until" FROM v402.reconciliation WHERE report->'unproven' = '[]'`;
