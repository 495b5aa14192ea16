import type { ContractId } from '@v402/domain';
import type { StoredEvent } from '../ports/event-store.js';
import type { StreamPosition } from '../ports/settlement-store.js';
import type { Transaction } from '../ports/unit-of-work.js';
import type { SettlementStream } from './settlement-stream.js';

/**
 * Writes what was appended to streams, and how far each has come.
 * @returns the settlements whose streams have moved
 */
export async function writeStreams(
  tx: Transaction,
  streams: Iterable<readonly [ContractId, SettlementStream]>,
  loose: readonly StoredEvent[] = [],
): Promise<readonly ContractId[]> {
  const moved = [...streams].filter(([, { events }]) => events.length > 0);
  await tx.events.append([...moved.flatMap(([, { events }]) => events), ...loose]);
  await tx.events.savePositions(
    new Map(moved.map(([contractId, { position }]): [ContractId, StreamPosition] => [contractId, position])),
  );
  return moved.map(([contractId]) => contractId);
}
