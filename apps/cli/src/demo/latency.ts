import type { ContractId } from '@v402/domain';
import type { PublishedEvent } from '@v402/local-system';

/** Milliseconds from the sending of a contract to the event that its order is created; of one for both sides, to each. */
export function orderLatencies(
  sentAtMs: ReadonlyMap<ContractId, number>,
  events: readonly PublishedEvent[],
): readonly number[] {
  return events.flatMap(({ type, subject, timestampMs }) => {
    const sent = sentAtMs.get(subject);
    return type === 'org.v402.order.created.v1' && sent !== undefined ? [timestampMs - sent] : [];
  });
}

/** The least value that at least `percent` of the values do not exceed; undefined for none. */
export function percentile(values: readonly number[], percent: number): number | undefined {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)];
}
