import { backoffMs, instantOfMicros, orderPlacementTable, transition, type Micros } from '@v402/domain';
import { settlementMembers } from '../events/members.js';
import type { EventNaming, EventSubject, SettlementStream } from '../events/settlement-stream.js';
import { orderKindOf } from '../ports/order-system.js';
import type { OrderPlacement } from '../ports/progress-store.js';
import type { Ids } from '../ports/seams.js';
import type { HoldCause } from '../ports/settlement-store.js';
import type { OrderCase } from './order-case.js';
import { isHarmless, type OrderOutcome } from './outcome.js';
import type { OutcomeWrites } from './outcome-writes.js';
import { workAfterOrder, type DeliveryLead } from './work-after-order.js';
import type { KnownOutcome } from './record-outcomes.js';
import { lookUpNotBefore, type OrderTiming } from './timing.js';

export interface OutcomeContext {
  readonly naming: EventNaming;
  readonly ids: Ids;
  readonly timing: OrderTiming;
  readonly deliveryLead: DeliveryLead;
  readonly orderSystem: { readonly name: string; readonly serverTimeoutMs: number };
}

/**
 * `put_off`: the outcome is of no consequence, since its contract is no longer current. `exhausted`: the order was tried
 * as often as it may be, and waits for a person.
 */
export type Recorded = 'recorded' | 'put_off' | 'exhausted';

/** Turns one order's outcome into what is to be written, under the settlement's lock. Touches no database. */
export class OrderRecording {
  readonly #stream: SettlementStream;

  constructor(
    private readonly context: OutcomeContext,
    private readonly order: OrderCase,
    private readonly writes: OutcomeWrites,
  ) {
    this.#stream = writes.stream(order);
  }

  record({ outcome, isAttempt }: Pick<KnownOutcome, 'outcome' | 'isAttempt'>): Recorded {
    if (this.#isStopped(outcome)) return this.#putOff();
    switch (outcome.kind) {
      case 'created':
        this.#created(outcome);
        break;
      case 'rejected':
        this.#rejected(outcome);
        break;
      case 'not_written':
        return this.#notWritten(outcome, isAttempt);
      case 'unknown':
        this.#unknown(outcome.code);
        break;
      case 'different':
        this.#leaveToPerson('differ', 'order_mismatch', outcome.code);
        break;
      case 'unresolved':
        this.#leaveToPerson('give_up', 'order_unresolved', outcome.code);
        break;
      case 'not_looked_up':
        this.#note(outcome.code);
        this.#postpone(backoffMs(this.context.timing.backoff, this.order.claim.attempts), !isAttempt);
        break;
      case 'not_recordable':
        return this.#notRecordable(outcome.code);
    }
    return 'recorded';
  }

  #created({ order }: Extract<OrderOutcome, { kind: 'created' }>): void {
    const orderedAt = this.#stream.append('org.v402.order.created.v1', this.#subject(1), {
      ...this.#members(),
      orderNumber: order.orderNumber,
      ...(order.url !== undefined && { url: order.url }),
    });
    this.#save('confirm', {
      orderSystem: this.context.orderSystem.name,
      orderNumber: order.orderNumber,
      orderUrl: order.url,
      orderedAt,
      code: undefined,
      lookUpNotBefore: undefined,
    });
    const { contract, claim } = this.order;
    this.writes.newWork.push(...workAfterOrder(claim.contractId, contract, claim.side, this.context.deliveryLead));
    this.writes.finished.push(claim);
  }

  #rejected({ code, issues }: Extract<OrderOutcome, { kind: 'rejected' }>): void {
    this.#save('reject', { code, lookUpNotBefore: undefined });
    const subject = this.#subject(this.order.placement.redrives + 1);
    this.#stream.append('org.v402.order.rejected.v1', subject, { ...this.#members(), code, issues });
    const rejectedId = this.#stream.idOf('org.v402.order.rejected.v1', subject);
    this.#hold({ reason: 'order_rejected', evidence: { side: this.order.claim.side, code } }, rejectedId);
    this.writes.finished.push(this.order.claim);
  }

  /** The next attempt starts from the beginning: preflight, holds and intent again. */
  #notWritten(outcome: Extract<OrderOutcome, { kind: 'not_written' }>, isAttempt: boolean): Recorded {
    const { placement, claim } = this.order;
    const { timing } = this.context;
    const { code, retryAfterMs = 0 } = outcome;
    const counts = isAttempt && !isHarmless(outcome);
    // An order of which each request is lost, and never found, makes progress each time and comes to nothing.
    const lost = placement.unknowns - placement.unknownsBefore;
    const tried = code === 'not_found' ? lost : counts ? claim.attempts : 0;
    if (tried >= timing.maxAttempts) return this.#exhausted(code);
    this.#clear(code);
    // Those who are told the same time to come back must not come back together.
    const toldMs = retryAfterMs + backoffMs(timing.backoff, 1);
    const pauseMs = code === 'not_found' ? 0 : Math.max(toldMs, backoffMs(timing.backoff, claim.attempts));
    this.#postpone(pauseMs, !counts);
    return 'recorded';
  }

  /** Tried as often as it may be, and nothing was written: a person has to look, and may have it tried again. */
  #exhausted(code: string): Recorded {
    this.#clear(code);
    if (!this.order.settlement.current) return this.#putOff();
    this.#askPerson('order_retries_exhausted', code);
    this.writes.finished.push(this.order.claim);
    return 'exhausted';
  }

  /** It is proven that the order system has nothing of it. */
  #clear(code: string): void {
    if (this.order.placement.state === 'waiting') this.#note(code);
    else this.#save('clear', { code, lookUpNotBefore: undefined });
  }

  /** Nobody may look, or try again, while the request that was sent can still take effect: the intent says until when. */
  #unknown(code: string): void {
    const { now } = this.writes;
    const { placement, claim } = this.order;
    const { timing, orderSystem } = this.context;
    const intended = placement.lookUpNotBefore ?? lookUpNotBefore(now, timing, orderSystem);
    const notBefore = intended > now ? intended : now;
    const unknowns = placement.unknowns + 1;
    this.#save('lose', { code, unknowns, lookUpNotBefore: notBefore });
    this.#stream.append('org.v402.order.outcome_unknown.v1', this.#subject(unknowns), {
      ...this.#members(),
      code,
      lookUpNotBefore: instantOfMicros(notBefore),
    });
    this.writes.postponed.push({ claim, dueAt: notBefore, progressed: true });
  }

  /** The outcome cannot be written, and that never changes: a person has to look. */
  #notRecordable(code: string): Recorded {
    const { state } = this.order.placement;
    if (state === 'waiting') return this.#exhausted(code);
    if (state === 'unknown') this.#leaveToPerson('give_up', 'order_unresolved', code);
    else this.#unknown(code);
    return 'recorded';
  }

  /** What was not sent yet of a contract that is no longer current is not refused either: it waits, like all of it. */
  #isStopped(outcome: OrderOutcome): boolean {
    const { settlement, placement } = this.order;
    return !settlement.current && placement.state === 'waiting' && outcome.kind === 'rejected';
  }

  #putOff(): Recorded {
    const dueAt = this.#in(this.context.timing.holdRecheckMs);
    this.writes.postponed.push({ claim: this.order.claim, dueAt, progressed: true });
    return 'put_off';
  }

  #leaveToPerson(input: 'differ' | 'give_up', reason: 'order_mismatch' | 'order_unresolved', code: string): void {
    this.#save(input, { code, lookUpNotBefore: undefined });
    this.#askPerson(reason, code);
    this.writes.finished.push(this.order.claim);
  }

  #askPerson(reason: 'order_mismatch' | 'order_unresolved' | 'order_retries_exhausted', code: string): void {
    const { contractId, side } = this.order.claim;
    const holdId = this.#hold({ reason, evidence: { side, code } });
    this.writes.quarantines.push({
      id: this.context.ids.next(),
      reason,
      code,
      contractId,
      conflictsWith: undefined,
      rawDigest: undefined,
      side,
      holdId,
    });
  }

  /** Keeps why the order is where it is, for whoever looks. */
  #note(code: string): void {
    const { placement } = this.order;
    if (placement.code !== code) this.writes.orders.push({ ...placement, code });
  }

  #hold(cause: HoldCause, causedBy?: string): string {
    const { settlement, contract } = this.order;
    const { contractId, dealKey } = settlement;
    const id = this.context.ids.next();
    this.writes.holds.push({ id, dealKey, contractId, cause, placedBy: 'orders' });
    this.#stream.append(
      'org.v402.hold.placed.v1',
      { subjectId: id, n: 1, ...(causedBy !== undefined && { causedBy }) },
      { ...settlementMembers(settlement, contract), holdId: id, ...cause },
    );
    return id;
  }

  #save(input: 'confirm' | 'reject' | 'clear' | 'lose' | 'give_up' | 'differ', changes: Partial<OrderPlacement>): void {
    const { placement } = this.order;
    const state = transition(orderPlacementTable, placement.state, input);
    this.writes.orders.push({ ...placement, ...changes, state });
  }

  #postpone(delayMs: number, uncounted: boolean): void {
    this.writes.postponed.push({
      claim: this.order.claim,
      dueAt: this.#in(delayMs),
      progressed: false,
      uncounted,
    });
  }

  #in(delayMs: number): Micros {
    return this.writes.now + BigInt(Math.round(delayMs)) * 1000n;
  }

  #subject(n: number): EventSubject {
    const { side, contractId } = this.order.claim;
    const causedBy = this.#stream.idOf('org.v402.settlement.accepted.v1', { subjectId: contractId, n: 1 });
    return { side, subjectId: orderKindOf(side), n, causedBy };
  }

  #members() {
    const { settlement, contract, claim, placement } = this.order;
    return {
      ...settlementMembers(settlement, contract),
      side: claim.side,
      orderSystem: this.context.orderSystem.name,
      kind: orderKindOf(claim.side),
      reference: settlement.orderReference,
      attempt: Math.max(1, placement.attempt),
    };
  }
}
