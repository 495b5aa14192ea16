import { codeOf } from '@v402/domain';
import { contractOf } from '../contract-of.js';
import { answerOf } from '../orders/answer-of.js';
import { orderDifferences } from '../orders/compare-order.js';
import { orderKindOf, type OrderReference, type OrderSnapshot, type OrderSystem } from '../ports/order-system.js';
import type { BookedOrder, BookedSettlement } from '../ports/reconciliation-books.js';
import type { Findings } from './report.js';

/** How long the order system may take for one answer. */
const ASK_TIMEOUT_MS = 10_000;
/** After so many questions without an answer nobody waits for the others. */
const MAX_SILENCES = 3;

interface Answer {
  readonly found: OrderSnapshot | undefined;
  /** How many there are under the reference, if there is any. */
  readonly orders: number;
}

/** Asks the order system for every order that was or may have been made, and compares it with the contract. */
export class OrderComparison {
  #silences = 0;

  constructor(
    private readonly system: OrderSystem,
    private readonly findings: Findings,
    private readonly signal: AbortSignal,
  ) {}

  async compare(settlements: readonly BookedSettlement[]): Promise<void> {
    const asked = settlements.flatMap((settlement) => settlement.orders.map((order) => ({ settlement, order })));
    const queue = asked.values();
    const atOnce = Math.min(8, this.system.capabilities.maxConcurrency);
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        for (const { settlement, order } of queue) await this.#one(settlement, order);
      }),
    );
  }

  async #one(settlement: BookedSettlement, order: BookedOrder): Promise<void> {
    if (order.state === 'created' && !order.passedOn) this.findings.counts.orders += 1;
    // Somebody is at work on it: what the order system says now may be newer than what was read of it.
    if (order.hasWork || order.passedOn || this.#silences >= MAX_SILENCES) return;
    const reference = { kind: orderKindOf(order.side), reference: settlement.orderReference };
    const answer = await this.#ask(reference);
    if (answer === undefined) return;
    if (order.state === 'created' && answer.orders > 1) {
      this.findings.differs('order_doubled', settlement.contractId, `${order.side} ${answer.orders} orders`);
    }
    this.#judge(settlement, order, reference, answer.found);
  }

  /** @returns undefined where the order system does not answer, however it fails */
  async #ask(reference: OrderReference): Promise<Answer | undefined> {
    const signal = AbortSignal.any([this.signal, AbortSignal.timeout(ASK_TIMEOUT_MS)]);
    try {
      const found = await answerOf(signal, () => this.system.readBack(reference, signal));
      // Reading back shows one order. Where nobody refuses a second one, they are counted.
      if (found === undefined || this.system.capabilities.uniqueRef !== 'none') return { found, orders: 1 };
      const all = await answerOf(signal, () => this.system.findByReference(reference, signal));
      return { found, orders: all.found === 'many' ? all.orders.length : 1 };
    } catch (error) {
      this.#silences += 1;
      const code = codeOf(error, 'adapter_failed');
      if (this.#silences === 1) this.findings.unproven('order_system_unread', this.system.name, code);
      return undefined;
    }
  }

  #judge(
    settlement: BookedSettlement,
    { side, state, orderNumber, adoptedFrom }: BookedOrder,
    reference: OrderReference,
    found: OrderSnapshot | undefined,
  ): void {
    const { contractId } = settlement;
    // Under the chain's one reference may stand the order of another contract of the deal.
    const isOurs = found?.contractId === contractId;
    const placedFor = found?.contractId === adoptedFrom && adoptedFrom !== undefined ? adoptedFrom : contractId;
    if (state !== 'created') {
      if (isOurs && NOT_MADE.has(state)) this.findings.differs('order_unexpected', contractId, side);
      return;
    }
    if (found === undefined) {
      this.findings.differs('order_missing', contractId, side);
      return;
    }
    const differences = orderDifferences(
      { ...reference, contractId: placedFor, contract: contractOf(settlement) },
      found,
    );
    for (const where of differences) this.findings.differs('order_differs', contractId, `${side} ${where}`);
    if (found.orderNumber !== orderNumber) this.findings.differs('order_number_differs', contractId, side);
    if (differences.length === 0) this.findings.counts.ordersFound += 1;
  }
}

/** In all other states the order may exist, and whoever looks for it is still at work. */
const NOT_MADE: ReadonlySet<string> = new Set(['waiting', 'rejected', 'superseded']);
