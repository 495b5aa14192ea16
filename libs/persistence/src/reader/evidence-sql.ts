import { dateOf, decimalOf, hexOf, instantOf } from '../values.js';

/*
 * Each statement gives rows of the evidence format (docs/evidence.md): members by their names there, times to the
 * microsecond, decimals and offsets as text.
 */

const base64Of = (column: string): string => `translate(encode(${column}, 'base64'), E'\\n', '')`;

export const FIND_CONTRACT = `
  SELECT ${hexOf('contract_id')} AS id FROM v402.decision WHERE contract_id = $1
  UNION ALL SELECT ${hexOf('contract_id')} FROM v402.settlement WHERE short_ref = $2 LIMIT 1`;
/** The contract that a message brought, where it was accepted or quarantined: then the whole of it is the evidence. */
export const FIND_CONTRACT_OF_MESSAGE = `
  SELECT ${hexOf('contract_id')} AS id FROM v402.decision
  WHERE raw_digest = $1 AND outcome IN ('accepted', 'quarantined') LIMIT 1`;
export const FIND_MESSAGE = `SELECT ${hexOf('digest')} AS id FROM v402.raw_message WHERE digest = $1`;

const DECISION = `
  outcome, code, ${hexOf('contract_id')} AS "contractId", ${hexOf('raw_digest')} AS "rawDigest",
  jsonb_build_object('topic', topic, 'partition', partition, 'offset', kafka_offset::text) AS kafka,
  jsonb_build_object('at', ${instantOf('arrival')}, 'source', arrival_source) AS arrival,
  ${hexOf('registry_digest')} AS "registryDigest", keys, code_version AS "codeVersion",
  ${instantOf('decided_at')} AS "decidedAt"`;
export const DECISIONS_OF_CONTRACT = `SELECT ${DECISION} FROM v402.decision WHERE contract_id = $1 ORDER BY id`;
export const DECISIONS_OF_MESSAGE = `SELECT ${DECISION} FROM v402.decision WHERE raw_digest = $1 ORDER BY id`;

export const MESSAGES = `
  SELECT ${hexOf('digest')} AS "rawDigest", size, truncated, ${base64Of('bytes')} AS bytes,
    ${instantOf('stored_at')} AS "storedAt"
  FROM v402.raw_message WHERE digest = ANY ($1::bytea[]) ORDER BY stored_at, digest`;

export const REJECTIONS = `
  SELECT ${hexOf('raw_digest')} AS "rawDigest", code, fault_at AS "where", ${hexOf('contract_id')} AS "contractId",
    negotiation_id AS "negotiationId", occurrences, ${instantOf('rejected_at')} AS "rejectedAt"
  FROM v402.rejection WHERE raw_digest = ANY ($1::bytea[]) ORDER BY rejected_at, raw_digest, code`;

export const DEAL = `
  SELECT ${hexOf('key')} AS key, negotiation_id AS "negotiationId", buyer, seller FROM v402.deal
  WHERE key = (SELECT deal_key FROM v402.settlement WHERE contract_id = $1)
    OR key = (SELECT s.deal_key FROM v402.quarantine q JOIN v402.settlement s ON s.contract_id = q.conflicts_with
      WHERE q.contract_id = $1 AND q.reason = 'equivocation')`;

export const SETTLEMENT = `
  SELECT state, current, order_reference AS "orderReference", ${hexOf('supersedes')} AS supersedes,
    (SELECT convert_from(e.bytes, 'UTF8')::jsonb #>> '{data,supersededBy}' FROM v402.event e
      WHERE e.stream = s.contract_id AND e.type = 'org.v402.settlement.superseded.v1') AS "supersededBy",
    currency, ${decimalOf('total')} AS total, ${instantOf('accepted_at')} AS "acceptedAt", duplicates
  FROM v402.settlement s WHERE contract_id = $1`;

export const CHAIN = `
  SELECT ${hexOf('contract_id')} AS "contractId", short_ref AS "shortRef", ${hexOf('supersedes')} AS supersedes, current,
    ${instantOf('accepted_at')} AS "acceptedAt"
  FROM v402.settlement WHERE deal_key = $1 ORDER BY accepted_at, contract_id`;

export const ORDERS = `
  SELECT side, state, attempt, unknowns, redrives, ${hexOf('adopted_from')} AS "adoptedFrom", order_system AS "orderSystem", order_number AS "orderNumber",
    order_url AS "orderUrl", code, ${instantOf('ordered_at')} AS "orderedAt"
  FROM v402.order_placement WHERE contract_id = $1 ORDER BY side`;

export const LEGS = `
  SELECT side, leg_id AS "legId", number, state, attempt, "trigger", days, rail, ${decimalOf('amount')} AS amount, currency,
    ${instantOf('triggered_at')} AS "triggeredAt", ${dateOf('due_date')} AS "dueDate", code
  FROM v402.payment_leg WHERE contract_id = $1 ORDER BY side, number`;

export const DELIVERIES = `
  SELECT side, delivery_id AS "deliveryId", number, state, attempt, ${dateOf('not_before')} AS "notBefore",
    ${dateOf('not_after')} AS "notAfter", code
  FROM v402.delivery WHERE contract_id = $1 ORDER BY side, number`;

export const HOLDS = `
  SELECT id, ${hexOf('contract_id')} AS "contractId", reason, evidence, placed_by AS "placedBy",
    ${instantOf('placed_at')} AS "placedAt", released_by AS "releasedBy", ${instantOf('released_at')} AS "releasedAt", resolution
  FROM v402.hold WHERE deal_key = $1 ORDER BY placed_at, id`;

export const QUARANTINE = `
  SELECT id, reason, code, ${hexOf('contract_id')} AS "contractId", ${hexOf('conflicts_with')} AS "conflictsWith",
    ${hexOf('raw_digest')} AS "rawDigest", side, hold_id AS "holdId", occurrences,
    ${instantOf('quarantined_at')} AS "quarantinedAt", resolution, resolved_by AS "resolvedBy",
    ${instantOf('resolved_at')} AS "resolvedAt"
  FROM v402.quarantine
  WHERE contract_id = $1 OR conflicts_with = $1 OR raw_digest = ANY ($2::bytea[]) ORDER BY quarantined_at, id`;

export const AUDIT = `
  SELECT sequence::text, ${instantOf('at')} AS at, actor, login, action, subject, ${hexOf('contract_id')} AS "contractId",
    reason, details, ${hexOf('previous')} AS previous, ${hexOf('digest')} AS digest
  FROM v402.audit_entry a
  WHERE subject = ANY ($1::uuid[]) OR contract_id = $2 OR details->>'otherContract' = encode($2, 'hex')
  ORDER BY a.sequence`;

export const EVENTS = `
  SELECT id, type, topic, sequence, ${instantOf('occurred_at')} AS "occurredAt",
    NOT EXISTS (SELECT FROM v402.outbox o WHERE o.event_id = e.id) AS published,
    encode(sha256(bytes), 'hex') AS sha256, ${base64Of('bytes')} AS bytes
  FROM v402.event e WHERE stream = ANY ($1::bytea[]) ORDER BY topic, sequence NULLS LAST, occurred_at, id`;
