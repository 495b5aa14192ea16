import type { OrderSystem } from '../ports/order-system.js';
import type { ReconciliationBooks, Window } from '../ports/reconciliation-books.js';
import type { TopicLog } from '../ports/topic-log.js';
import { checkSettlement } from './check-settlement.js';
import { EventComparison } from './compare-events.js';
import { compareInput } from './compare-input.js';
import { OrderComparison } from './compare-orders.js';
import { Findings, MAX_LISTED, type ReconciliationReport } from './report.js';
import { throwIfAborted } from './throw-if-aborted.js';

export interface ReconcilePolicy {
  readonly inputTopic: string;
  readonly outputTopics: readonly string[];
  /** What is younger than this may be on its way and is no difference. */
  readonly graceMs: number;
}

/**
 * Proves for a window of time that accepted messages, settlements, orders in the order system and events on Kafka are the
 * same, or lists what is not. It looks only: nothing is written, and nothing is put right.
 */
export class ReconcileHandler {
  constructor(
    private readonly books: ReconciliationBooks,
    private readonly log: TopicLog,
    private readonly system: OrderSystem,
    private readonly policy: ReconcilePolicy,
  ) {}

  /**
   * @param window `from` belongs to it, `to` does not. A settlement belongs to that of its acceptance, and to each in which
   * an event of it occurred: an order may be made, and a payment asked for, long after the acceptance
   * @throws RetryableError when the database cannot be read; a topic or an order system that is away is in the report
   * @throws TerminalError `reconciliation_aborted` by the signal
   */
  async handle(window: Window, signal: AbortSignal = new AbortController().signal): Promise<ReconciliationReport> {
    const { books, policy } = this;
    const startedAt = await books.now();
    const settledBefore = startedAt - BigInt(policy.graceMs) * 1000n;
    const findings = new Findings();
    const events = new EventComparison(this.log, books, policy.outputTopics, window, findings, settledBefore, signal);
    const orders = new OrderComparison(this.system, findings, signal);
    // The topics first: what is committed after this is found to be younger than the grace, not missing.
    await events.readTopics();
    for await (const settlements of books.settlements(window)) {
      throwIfAborted(signal);
      findings.counts.settlements += settlements.length;
      await events.hold(settlements.flatMap((settlement) => settlement.events));
      await orders.compare(settlements.filter((settlement) => checkSettlement(settlement, findings)));
    }
    // Their events of the window are among the others; the topics may not hold any more what came before them.
    for await (const settlements of books.earlierSettlements(window)) {
      throwIfAborted(signal);
      findings.counts.earlierSettlements += settlements.length;
      await orders.compare(settlements.filter((settlement) => checkSettlement(settlement, findings)));
    }
    for await (const some of books.otherEvents(window)) {
      throwIfAborted(signal);
      await events.hold(some);
    }
    throwIfAborted(signal);
    await events.conclude();
    await this.#countDecisions(window, findings);
    await compareInput(this.log, books, policy.inputTopic, window, findings, settledBefore, signal);
    await this.#listOpen(findings, settledBefore);
    return findings.report(window, startedAt, await books.now(), policy.graceMs);
  }

  async #countDecisions(window: Window, findings: Findings): Promise<void> {
    const { count, orphans } = await this.books.acceptances(window);
    findings.counts.acceptances = count;
    for (const contractId of orphans) findings.differs('acceptance_without_settlement', contractId);
    const refusals = await this.books.refusals(window);
    findings.counts.refusals = refusals.count;
    for (const digest of refusals.unannounced) findings.differs('rejection_not_announced', digest);
  }

  /** Whatever its age: what waits for somebody now belongs into every report. */
  async #listOpen(findings: Findings, settledBefore: bigint): Promise<void> {
    for (const { subject, reason } of await this.books.overdueWork(settledBefore, MAX_LISTED)) {
      findings.differs('work_overdue', subject, reason);
    }
    for (const { subject, reason } of await this.books.parkedStreams(MAX_LISTED)) {
      findings.differs('stream_parked', subject, reason);
    }
    for (const { subject, reason } of await this.books.openHolds(MAX_LISTED)) {
      findings.needsAttention('open_hold', subject, reason);
    }
  }
}
