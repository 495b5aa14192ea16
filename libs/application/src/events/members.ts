import { instantOfMicros, type Arrival, type ContractId, type Micros, type SettlementContract } from '@v402/domain';
import type { KafkaCoordinates } from '../ports/evidence-store.js';

/** Members that every event about a settlement begins with. */
export interface SettlementMembers {
  readonly contractId: ContractId;
  readonly shortRef: string;
  readonly negotiationId: string;
  readonly parties: SettlementContract['parties'];
}

export function settlementMembers(
  { contractId, shortRef }: { readonly contractId: ContractId; readonly shortRef: string },
  contract: Pick<SettlementContract, 'negotiationId' | 'parties'>,
): SettlementMembers {
  return { contractId, shortRef, negotiationId: contract.negotiationId, parties: contract.parties };
}

/** Where a message stands in Kafka, as events say it. */
export const kafkaMember = ({
  topic,
  partition,
  offset,
}: KafkaCoordinates): { readonly topic: string; readonly partition: number; readonly offset: string } => ({
  topic,
  partition,
  offset: offset.toString(),
});

export const arrivalOfDatabase = (now: Micros): Arrival => ({ at: instantOfMicros(now), source: 'database' });
