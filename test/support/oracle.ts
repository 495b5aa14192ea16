import type { SettlementScene, SeenEvent } from './settlement-scene.js';

/**
 * What must hold of everything that was published, whatever died: looks at the topics only, and shares no code with the
 * handlers. Each violation is one sentence; none is a pass.
 */
export function violations(events: readonly SeenEvent[]): string[] {
  const found: string[] = [];
  const meaning = new Map<string, string>();
  const ids = new Map<string, string>();
  const next = new Map<string, number>();
  for (const event of events) {
    const { id, type, subject, sequence, data } = event;
    const side = typeof data['side'] === 'string' ? data['side'] : '';
    const about = data['legId'] ?? data['deliveryId'] ?? data['holdId'] ?? data['rawDigest'];
    const fact = JSON.stringify([type, subject, side, about, data['code']]);
    const seenAs = ids.get(id);
    if (seenAs !== undefined && seenAs !== fact) found.push(`id ${id} means both "${seenAs}" and "${fact}"`);
    ids.set(id, fact);
    const idOfFact = meaning.get(fact);
    if (idOfFact !== undefined && idOfFact !== id && !type.includes('outcome_unknown')) {
      found.push(`"${fact}" was published under two ids`);
    }
    meaning.set(fact, id);
    if (sequence === undefined || seenAs !== undefined) continue;
    const expected = (next.get(subject) ?? 0) + 1;
    if (Number(sequence) !== expected) found.push(`${subject}: sequence ${sequence} where ${expected} was due`);
    next.set(subject, Number(sequence));
  }
  return found;
}

/** Violations on all output topics of a scene; order holds within a topic only. */
export async function publishedViolations(scene: SettlementScene): Promise<string[]> {
  const topics = ['events', 'payments', 'deliveries', 'rejections'] as const;
  const found = await Promise.all(topics.map(async (topic) => violations(await scene.events(topic))));
  return found.flat();
}

/** Orders of the order book that stand more than once under one reference and kind. */
export function doubledOrders(scene: SettlementScene): Promise<Record<string, unknown>[]> {
  return scene.sql('SELECT kind, contract_id, count(*) FROM orderbook.order_head GROUP BY 1, 2 HAVING count(*) > 1');
}
