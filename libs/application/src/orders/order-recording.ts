import { backoffMs, instantOfMicros, orderPlacementTable, transition } from '@v402/domain';
import { settlementMembers } from '../events/members.js';
import type { EventNaming, EventSubject, SettlementStream } from '../events/settlement-stream.js';
import { orderKindOf } from '../ports/order-system.js';
import type { OrderPlacement } from '../ports/progress-store.js';
import type { Ids } from '../ports/seams.js';
import type { HoldCause } from '../ports/settlement-store.js';
import type { OrderCase } from './order-case.js';
import type { OrderOutcome } from './outcome.js';
import type { OutcomeWrites } from './outcome-writes.js';
import { workAfterOrder, type DeliveryLead } from './work-after-order.js';
import type { OrderTiming } from './timing.js';

export interface OutcomeContext {
  readonly naming: EventNaming;
  readonly ids: Ids;
  readonly timing: OrderTiming;
  readonly deliveryLead: DeliveryLead;
  readonly orderSystem: { readonly name: string; readonly serverTimeoutMs: number };
}

/** `put_off`: the outcome is of no consequence, since its contract is no longer current. */
export type Recorded = 'recorded' | 'put_off';

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

  record(outcome: OrderOutcome): Recorded {
    if (this.#isStopped(outcome)) {
      this.#postpone(this.context.timing.holdRecheckMs, true);
      return 'put_off';
    }
    switch (outcome.kind) {
      case 'created':
        this.#created(outcome);
        break;
      case 'rejected':
        this.#rejected(outcome);
        break;
      case 'not_written':
        this.#notWritten(outcome);
        break;
      case 'unknown':
        this.#unknown(outcome);
        break;
      case 'different':
        this.#leaveToPerson('differ', 'order_mismatch', outcome.code);
        break;
      case 'unresolved':
        this.#leaveToPerson('give_up', 'order_unresolved', outcome.code);
        break;
      case 'not_looked_up':
        this.#note(outcome.code);
        this.#postpone(backoffMs(this.context.timing.backoff, this.order.claim.attempts), false);
        break;
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
    });
    const { contract, claim } = this.order;
    this.writes.newWork.push(...workAfterOrder(claim.contractId, contract, claim.side, this.context.deliveryLead));
    this.writes.finished.push(claim);
  }

  #rejected({ code, issues }: Extract<OrderOutcome, { kind: 'rejected' }>): void {
    this.#save('reject', { code });
    const subject = this.#subject(this.order.placement.redrives + 1);
    this.#stream.append('org.v402.order.rejected.v1', subject, { ...this.#members(), code, issues });
    const rejectedId = this.#stream.idOf('org.v402.order.rejected.v1', subject);
    this.#hold({ reason: 'order_rejected', evidence: { side: this.order.claim.side, code } }, rejectedId);
    this.writes.finished.push(this.order.claim);
  }

  /** The next attempt starts from the beginning: preflight, holds and intent again. */
  #notWritten({ code, retryAfterMs }: Extract<OrderOutcome, { kind: 'not_written' }>): void {
    const { placement, claim } = this.order;
    if (placement.state === 'waiting') this.#note(code);
    else this.#save('clear', { code, lookUpNotBefore: undefined });
    this.#postpone(retryAfterMs ?? backoffMs(this.context.timing.backoff, claim.attempts), false);
  }

  /** Nobody may look, or try again, while the request that was sent can still take effect. */
  #unknown({ code, callUntil = this.writes.now }: Extract<OrderOutcome, { kind: 'unknown' }>): void {
    const { timing, orderSystem } = this.context;
    const noEffectAfter = callUntil > this.writes.now ? callUntil : this.writes.now;
    const lookUpNotBefore = noEffectAfter + BigInt(orderSystem.serverTimeoutMs + timing.lookUpMarginMs) * 1000n;
    const unknowns = this.order.placement.unknowns + 1;
    this.#save('lose', { code, unknowns, lookUpNotBefore });
    this.#stream.append('org.v402.order.outcome_unknown.v1', this.#subject(unknowns), {
      ...this.#members(),
      code,
      lookUpNotBefore: instantOfMicros(lookUpNotBefore),
    });
    this.writes.postponed.push({ claim: this.order.claim, dueAt: lookUpNotBefore, progressed: true });
  }

  /** What was not sent yet of a contract that is no longer current is not refused either: it waits, like all of it. */
  #isStopped(outcome: OrderOutcome): boolean {
    const { settlement, placement } = this.order;
    return !settlement.current && placement.state === 'waiting' && outcome.kind === 'rejected';
  }

  #leaveToPerson(input: 'differ' | 'give_up', reason: 'order_mismatch' | 'order_unresolved', code: string): void {
    const { claim } = this.order;
    this.#save(input, { code });
    const holdId = this.#hold({ reason, evidence: { side: claim.side, code } });
    this.writes.quarantines.push({
      id: this.context.ids.next(),
      reason,
      code,
      contractId: claim.contractId,
      conflictsWith: undefined,
      rawDigest: undefined,
      side: claim.side,
      holdId,
    });
    this.writes.finished.push(claim);
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

  #postpone(delayMs: number, progressed: boolean): void {
    const dueAt = this.writes.now + BigInt(Math.round(delayMs)) * 1000n;
    this.writes.postponed.push({ claim: this.order.claim, dueAt, progressed });
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
