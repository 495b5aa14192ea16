import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs, codeOf, TerminalError, type Backoff } from '@v402/domain';
import { allSettled } from '../all-settled.js';
import { contractOf } from '../contract-of.js';
import { answerOf } from '../orders/answer-of.js';
import { orderDifferences } from '../orders/compare-order.js';
import { orderKindOf, type OrderReference, type OrderSnapshot, type OrderSystem } from '../ports/order-system.js';
import type { BookedOrder, BookedSettlement } from '../ports/reconciliation-books.js';
import type { Findings } from './report.js';

/** How long the order system may take for one answer. */
const ASK_TIMEOUT_MS = 10_000;
/** How often a question is asked before it counts as unanswered. */
const MAX_TRIES = 3;
/** After so many questions in a row without an answer nobody waits for the others. */
const MAX_SILENCES = 3;

interface Answer {
  readonly found: OrderSnapshot | undefined;
  /** How many there are under the reference, if there is any. */
  readonly orders: number;
}

/** Asks the order system for every order that was or may have been made, and compares it with the contract. */
export class OrderComparison {
  /** Questions without an answer since the last one that had one. */
  #silences = 0;
  #isUnread = false;

  constructor(
    private readonly system: OrderSystem,
    private readonly findings: Findings,
    private readonly signal: AbortSignal,
    /** Between two tries of one question. */
    private readonly pause: Backoff = { firstMs: 500, maxMs: 2_000 },
  ) {}

  async compare(settlements: readonly BookedSettlement[]): Promise<void> {
    const asked = settlements.flatMap((settlement) => settlement.orders.map((order) => ({ settlement, order })));
    const queue = asked.values();
    const atOnce = Math.min(8, this.system.capabilities.maxConcurrency);
    await allSettled(
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
    const answer = await this.#answered(reference);
    if (answer === undefined) return;
    this.#silences = 0;
    if (order.state === 'created' && answer.orders > 1) {
      this.findings.differs('order_doubled', settlement.contractId, `${order.side} ${answer.orders} orders`);
    }
    this.#judge(settlement, order, reference, answer.found);
  }

  /** @returns undefined where the order system does not answer, however it fails and however often it is asked */
  async #answered(reference: OrderReference): Promise<Answer | undefined> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#ask(reference);
      } catch (error) {
        const isFinal = error instanceof TerminalError || this.signal.aborted || this.#silences >= MAX_SILENCES;
        if (isFinal || tries === MAX_TRIES) {
          this.#unanswered(error);
          return undefined;
        }
        // Where the signal ends the pause it ends the next question, too.
        await sleep(backoffMs(this.pause, tries), undefined, { signal: this.signal }).catch(() => undefined);
      }
    }
  }

  #unanswered(error: unknown): void {
    this.#silences += 1;
    if (this.#isUnread) return;
    this.#isUnread = true;
    this.findings.unproven('order_system_unread', this.system.name, codeOf(error, 'adapter_failed'));
  }

  async #ask(reference: OrderReference): Promise<Answer> {
    const signal = AbortSignal.any([this.signal, AbortSignal.timeout(ASK_TIMEOUT_MS)]);
    const found = await answerOf(signal, () => this.system.readBack(reference, signal));
    // Reading back shows one order. Where nobody refuses a second one, they are counted.
    if (found === undefined || this.system.capabilities.uniqueRef !== 'none') return { found, orders: 1 };
    const all = await answerOf(signal, () => this.system.findByReference(reference, signal));
    return { found, orders: all.found === 'many' ? all.orders.length : 1 };
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
