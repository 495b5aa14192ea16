import { publishedFaults } from '@v402/simulators';
import type { SettlementScene, SeenEvent } from './settlement-scene.js';

const TOPICS = ['events', 'payments', 'deliveries', 'rejections'] as const;

/**
 * What must hold of everything that a scene has published, whatever died: looks at the topics only, and shares no code with
 * the handlers. Each violation is one sentence; none is a pass.
 */
export async function publishedViolations(scene: SettlementScene): Promise<string[]> {
  const found = await Promise.all(TOPICS.map(async (topic) => violations(topic, await scene.events(topic))));
  return found.flat();
}

function violations(topic: string, events: readonly SeenEvent[]): string[] {
  const records = events.map((event) => ({
    ...{ topic, id: event.id, subject: event.subject, fact: factOf(event) },
    ...(event.sequence !== undefined && { sequence: Number(event.sequence) }),
  }));
  const idOf = new Map<string, string>();
  const twofold = events.flatMap((event) => {
    const fact = factOf(event);
    const known = idOf.get(fact) ?? event.id;
    idOf.set(fact, known);
    // An outcome may be unknown again; nothing else happens twice.
    const isOne = known === event.id || event.type.includes('outcome_unknown');
    return isOne ? [] : [`events: "${fact}" was published under two ids`];
  });
  return [...publishedFaults(records), ...twofold];
}

function factOf({ type, subject, data }: SeenEvent): string {
  const about = data['legId'] ?? data['deliveryId'] ?? data['holdId'] ?? data['rawDigest'];
  return JSON.stringify([type, subject, data['side'], about, data['code']]);
}

const SIDES = { sales_order: 'seller', purchase_order: 'buyer' } as const;

/**
 * The kinds of which more order numbers were drawn than creates were intended. Every create draws one, one that is refused
 * because its reference is taken, too; so none means that nobody asked for an order under another's intent, which the table
 * of orders alone cannot show. Where the order book was too slow for one create, another intent was recorded for the next.
 */
export async function unintendedCreates(scene: SettlementScene): Promise<string[]> {
  const found = Object.entries(SIDES).map(async ([kind, side]) => {
    const sql = `SELECT (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM orderbook.${kind}_number)::int AS drawn,
      (SELECT sum(attempt) FROM v402.order_placement WHERE side = $1)::int AS intended`;
    const [{ drawn, intended } = { drawn: NaN, intended: NaN }] = await scene.sql<{ drawn: number; intended: number }>(
      sql,
      [side],
    );
    return drawn <= intended ? [] : [`${kind}: ${drawn} drawn, ${intended} intended`];
  });
  return (await Promise.all(found)).flat();
}

/** What the order book holds, as `kind contractId`, sorted. */
export async function bookedOrders(scene: SettlementScene): Promise<string[]> {
  const sql = "SELECT kind || ' ' || encode(contract_id, 'hex') AS booked FROM orderbook.order_head";
  return (await scene.sql<{ booked: string }>(sql)).map(({ booked }) => booked).sort();
}
