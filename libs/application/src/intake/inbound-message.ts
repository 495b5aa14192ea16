import { createHash } from 'node:crypto';
import type { IdentifiedEnvelope } from '@v402/contract';
import type { Arrival, SettlementContract } from '@v402/domain';
import type { KafkaCoordinates, RawMessage } from '../ports/evidence-store.js';
import type { DealKey, DealRecord } from '../ports/settlement-store.js';

/** A Kafka record of the contracts topic, whatever it holds. */
export interface InboundMessage {
  readonly coordinates: KafkaCoordinates;
  /** Null for a tombstone. */
  readonly value: Uint8Array | null;
  /** Undefined where the topic keeps no log-append time: then the database's clock at first sight counts. */
  readonly arrival: Arrival | undefined;
  /** W3C trace context of the record's header, if there is a valid one. */
  readonly traceparent: string | undefined;
}

/** What is kept of a longer value: its digest and its beginning. */
const KEPT_WHOLE_BYTES = 1_000_000;
const KEPT_PREFIX_BYTES = 4_096;
const NO_BYTES = new Uint8Array();

export function rawMessageOf(value: Uint8Array | null): RawMessage {
  const bytes = value ?? NO_BYTES;
  const truncated = bytes.length > KEPT_WHOLE_BYTES;
  return {
    digest: createHash('sha256').update(bytes).digest('hex'),
    size: bytes.length,
    bytes: truncated ? bytes.subarray(0, KEPT_PREFIX_BYTES) : bytes,
    truncated,
  };
}

export function dealOf(contract: SettlementContract): DealRecord {
  const { negotiationId, parties } = contract;
  return {
    key: dealKeyOf(negotiationId, parties.buyer.id, parties.seller.id),
    negotiationId,
    buyer: parties.buyer.id,
    seller: parties.seller.id,
  };
}

/** For an array of well-formed strings the JCS form is what JSON.stringify writes. */
function dealKeyOf(negotiationId: string, buyer: string, seller: string): DealKey {
  return createHash('sha256')
    .update(JSON.stringify([negotiationId, buyer, seller]))
    .digest('hex');
}

/** An envelope that can be identified, with the deal that it belongs to. */
export interface IdentifiedMessage extends IdentifiedEnvelope {
  readonly deal: DealRecord;
}
