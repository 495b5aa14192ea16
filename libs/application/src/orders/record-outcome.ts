import { instantOfMicros, orderPlacementTable, transition, type Micros } from '@v402/domain';
import { backoffMs } from '../backoff.js';
import { settlementMembers } from '../events/members.js';
import { SettlementStream, type EventNaming } from '../events/settlement-stream.js';
import { orderKindOf } from '../ports/order-system.js';
import type { OrderPlacement } from '../ports/progress-store.js';
import type { Ids } from '../ports/seams.js';
import type { HoldCause } from '../ports/settlement-store.js';
import type { Transaction } from '../ports/unit-of-work.js';
import type { Claim } from '../ports/work-store.js';
import { readCases, type OrderCase } from './order-case.js';
import type { OrderOutcome } from './outcome.js';
import { workAfterOrder, type DeliveryLead } from './work-after-order.js';
import type { OrderTiming } from './timing.js';

export interface OutcomeContext {
  readonly naming: EventNaming;
  readonly ids: Ids;
  readonly timing: OrderTiming;
  readonly deliveryLead: DeliveryLead;
  readonly orderSystem: { readonly name: string; readonly serverTimeoutMs: number };
}

/**
 * T3: records what became of an order. Writes nothing if the claim is no longer ours: whoever has it now finds the truth
 * by a look-up.
 *
 * @returns whether the outcome was recorded
 */
export async function recordOutcome(
  tx: Transaction,
  context: OutcomeContext,
  claim: Claim,
  outcome: OrderOutcome,
): Promise<boolean> {
  const settlements = await tx.settlements.lock([claim.contractId]);
  const ours = await tx.work.confirm([claim], context.timing.leaseMs);
  const [order] = await readCases(tx, ours, settlements);
  if (order === undefined) return false;
  const recording = new Recording(tx, context, order, await tx.now());
  await recording.record(outcome);
  await tx.settlements.deriveStates([claim.contractId]);
  return true;
}

/** One outcome being recorded, under the settlement's lock. */
class Recording {
  readonly #stream: SettlementStream;

  constructor(
    private readonly tx: Transaction,
    private readonly context: OutcomeContext,
    private readonly order: OrderCase,
    private readonly now: Micros,
  ) {
    const { contractId, traceparent, position } = order.settlement;
    const { negotiationId } = order.contract;
    this.#stream = new SettlementStream(context.naming, { contractId, negotiationId, traceparent, position }, now);
  }

  async record(outcome: OrderOutcome): Promise<void> {
    switch (outcome.kind) {
      case 'created':
        await this.#created(outcome);
        break;
      case 'rejected':
        await this.#rejected(outcome);
        break;
      case 'not_written':
        await this.#notWritten(outcome);
        break;
      case 'unknown':
        await this.#unknown(outcome);
        break;
      case 'different':
        await this.#different(outcome.code);
        break;
      case 'unresolved':
        await this.#save('give_up', { code: outcome.code });
        await this.tx.work.finish([this.order.claim]);
        break;
      case 'not_looked_up':
        await this.#postpone(backoffMs(this.context.timing.backoff, this.order.claim.attempts), false);
        break;
    }
    const { events, position } = this.#stream;
    await this.tx.events.append(events);
    if (events.length > 0) await this.tx.events.savePositions(new Map([[this.order.claim.contractId, position]]));
  }

  async #created({ order }: Extract<OrderOutcome, { kind: 'created' }>): Promise<void> {
    const orderedAt = this.#stream.append('org.v402.order.created.v1', this.#subject(1), {
      ...this.#members(),
      orderNumber: order.orderNumber,
      ...(order.url !== undefined && { url: order.url }),
    });
    await this.#save('confirm', {
      orderSystem: this.context.orderSystem.name,
      orderNumber: order.orderNumber,
      orderUrl: order.url,
      orderedAt,
      code: undefined,
    });
    const { contract, claim } = this.order;
    await this.tx.work.add(workAfterOrder(claim.contractId, contract, claim.side, this.context.deliveryLead));
    await this.tx.work.finish([claim]);
  }

  async #rejected({ code, issues }: Extract<OrderOutcome, { kind: 'rejected' }>): Promise<void> {
    await this.#save('reject', { code });
    this.#stream.append('org.v402.order.rejected.v1', this.#subject(1), { ...this.#members(), code, issues });
    await this.#hold({ reason: 'order_rejected', evidence: { side: this.order.claim.side, code } });
    await this.tx.work.finish([this.order.claim]);
  }

  /** The next attempt starts from the beginning: preflight, holds and intent again. */
  async #notWritten({ code, retryAfterMs }: Extract<OrderOutcome, { kind: 'not_written' }>): Promise<void> {
    const { placement, claim } = this.order;
    if (placement.state !== 'waiting') await this.#save('clear', { code, lookUpNotBefore: undefined });
    await this.#postpone(retryAfterMs ?? backoffMs(this.context.timing.backoff, claim.attempts), false);
  }

  /** Nobody may look, or try again, while the request that was sent can still take effect. */
  async #unknown({ code, callUntil = this.now }: Extract<OrderOutcome, { kind: 'unknown' }>): Promise<void> {
    const { timing, orderSystem } = this.context;
    const noEffectAfter = callUntil > this.now ? callUntil : this.now;
    const lookUpNotBefore = noEffectAfter + BigInt(orderSystem.serverTimeoutMs + timing.lookUpMarginMs) * 1000n;
    const unknowns = this.order.placement.unknowns + 1;
    await this.#save('lose', { code, unknowns, lookUpNotBefore });
    this.#stream.append('org.v402.order.outcome_unknown.v1', this.#subject(unknowns), {
      ...this.#members(),
      code,
      lookUpNotBefore: instantOfMicros(lookUpNotBefore),
    });
    await this.tx.work.postpone([{ claim: this.order.claim, dueAt: lookUpNotBefore, progressed: true }]);
  }

  async #different(code: string): Promise<void> {
    const { claim } = this.order;
    await this.#save('differ', { code });
    const holdId = await this.#hold({ reason: 'order_mismatch', evidence: { side: claim.side, code } });
    await this.tx.evidence.quarantine([
      {
        id: this.context.ids.next(),
        reason: 'order_mismatch',
        code,
        contractId: claim.contractId,
        conflictsWith: undefined,
        rawDigest: undefined,
        side: claim.side,
        holdId,
      },
    ]);
    await this.tx.work.finish([claim]);
  }

  async #hold(cause: HoldCause): Promise<string> {
    const { settlement, contract } = this.order;
    const { contractId, dealKey } = settlement;
    const id = this.context.ids.next();
    await this.tx.deals.placeHolds([{ id, dealKey, contractId, cause, placedBy: 'orders' }]);
    this.#stream.append(
      'org.v402.hold.placed.v1',
      { subjectId: id, n: 1 },
      { ...settlementMembers(settlement, contract), holdId: id, ...cause },
    );
    return id;
  }

  async #save(
    input: 'confirm' | 'reject' | 'clear' | 'lose' | 'give_up' | 'differ',
    changes: Partial<OrderPlacement>,
  ): Promise<void> {
    const { placement } = this.order;
    const state = transition(orderPlacementTable, placement.state, input);
    await this.tx.orders.save([{ ...placement, ...changes, state }]);
  }

  async #postpone(delayMs: number, progressed: boolean): Promise<void> {
    const dueAt = this.now + BigInt(Math.round(delayMs)) * 1000n;
    await this.tx.work.postpone([{ claim: this.order.claim, dueAt, progressed }]);
  }

  #subject(n: number): { side: Claim['side']; subjectId: string; n: number } {
    const { side } = this.order.claim;
    return { side, subjectId: orderKindOf(side), n };
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
