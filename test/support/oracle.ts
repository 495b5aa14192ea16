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

const SIDES = ['sales_order', 'purchase_order'] as const;

/**
 * Per kind, how many order numbers were drawn that no order has. Every create draws one, one that is refused because its
 * reference is taken, too; so 0 means that no order was asked for a second time, which its table alone cannot show.
 */
export async function unusedOrderNumbers(scene: SettlementScene): Promise<Record<string, number>> {
  const counts = SIDES.map(async (kind) => {
    const sql = `SELECT (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM orderbook.${kind}_number)::int
      - (SELECT count(*) FROM orderbook.order_head WHERE kind = $1)::int AS unused`;
    const [row] = await scene.sql<{ unused: number }>(sql, [kind]);
    return [kind, row?.unused ?? NaN] as const;
  });
  return Object.fromEntries(await Promise.all(counts));
}

/** What the order book holds, as `kind contractId`, sorted. */
export async function bookedOrders(scene: SettlementScene): Promise<string[]> {
  const sql = "SELECT kind || ' ' || encode(contract_id, 'hex') AS booked FROM orderbook.order_head";
  return (await scene.sql<{ booked: string }>(sql)).map(({ booked }) => booked).sort();
}
