import { TerminalError, type MonotonicClock } from '@v402/domain';
import { allSettled } from '../all-settled.js';
import { apart } from '../apart.js';
import type { OrderSystem } from '../ports/order-system.js';
import type { Alarms, FaultPoint, Wake } from '../ports/seams.js';
import type { UnitOfWork } from '../ports/unit-of-work.js';
import type { Claim } from '../ports/work-store.js';
import { contractIdsOf, readCases, type OrderCase } from './order-case.js';
import { createOrder, lookUpOrder, preflightOrder } from './order-system-calls.js';
import type { OrderOutcome } from './outcome.js';
import { recordIntents } from './record-intents.js';
import type { OutcomeContext, Recorded } from './order-recording.js';
import { OutcomeRecorder } from './outcome-recorder.js';

/** Reasons for which nothing was written that say nothing about the order system. */
const HARMLESS: ReadonlySet<string> = new Set(['deadline_before_call', 'not_found']);

type ForPerson = Extract<OrderOutcome, { kind: 'different' | 'unresolved' | 'rejected' }>;

const needsPerson = (outcome: OrderOutcome): outcome is ForPerson =>
  outcome.kind === 'different' || outcome.kind === 'unresolved' || outcome.kind === 'rejected';

/**
 * Places the orders of accepted settlements: one per served side, whatever dies. A claim alone sends nothing; the intent
 * is recorded (T2) before the order system is called, outside any transaction, and the outcome after it (T3). Whoever
 * finds an intent without an outcome does not know whether the order exists: it waits, looks the order up, and only then
 * goes on.
 */
export class PlaceOrdersHandler {
  readonly #outcomes: OutcomeRecorder;
  /** Why the order system took no orders last time, if it took none. */
  #trouble: string | undefined;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly orderSystem: OrderSystem,
    private readonly context: OutcomeContext,
    private readonly clock: MonotonicClock,
    /** Names this process in the leases. */
    private readonly owner: string,
    private readonly wake: Wake,
    private readonly alarms: Alarms,
    private readonly faults: FaultPoint,
  ) {
    this.#outcomes = new OutcomeRecorder(unitOfWork, context);
  }

  /**
   * One round.
   * @returns how many orders were claimed; 0 when none is due
   */
  async handle(): Promise<number> {
    const claims = await this.#claim();
    if (claims.length === 0) return 0;
    await this.faults.reach('C3');
    const cases = await this.#read(claims);
    await allSettled([
      this.#place(cases.filter(({ placement }) => placement.state === 'waiting')),
      ...cases.map((order) => this.#resume(order)),
    ]);
    this.wake.hint('workflows', 'relay');
    return claims.length;
  }

  /** Reads what belongs to the claims; one that cannot be read is put off and said. */
  async #read(claims: readonly Claim[]): Promise<readonly OrderCase[]> {
    const read = (some: readonly Claim[]): Promise<readonly OrderCase[]> =>
      this.unitOfWork.run(async (tx) => readCases(tx, some, await tx.settlements.read(contractIdsOf(some))));
    return (await apart(claims, read, (claim, error) => this.#putOff(claim, error))).flat();
  }

  async #putOff(claim: Claim, error: unknown): Promise<readonly OrderCase[]> {
    await this.unitOfWork.run(async (tx) => {
      const dueAt = (await tx.now()) + BigInt(this.context.timing.holdRecheckMs) * 1000n;
      await tx.work.postpone([{ claim, dueAt, progressed: false }]);
    });
    this.alarms.raise(
      'order_not_readable',
      'An order cannot be placed: its settlement cannot be read. It is tried again.',
      {
        contractId: claim.contractId,
        side: claim.side,
        reason: error instanceof TerminalError ? error.code : 'unexpected_error',
      },
    );
    return [];
  }

  #claim(): Promise<readonly Claim[]> {
    const { leaseMs } = this.context.timing;
    const limit = this.orderSystem.capabilities.maxConcurrency;
    return this.unitOfWork.run((tx) => tx.work.claim({ kinds: ['order'], limit, leaseMs, owner: this.owner }));
  }

  /** Orders that nobody has asked for yet. */
  async #place(orders: readonly OrderCase[]): Promise<void> {
    const sendable = (await allSettled(orders.map((order) => this.#preflight(order)))).filter(
      (passed) => passed !== null,
    );
    if (sendable.length === 0) return;
    const startedMs = this.clock.nowMs();
    const intended = await this.unitOfWork.run((tx) => recordIntents(tx, sendable, this.context.timing));
    await this.faults.reach('C4');
    await allSettled(intended.map((order) => this.#call(order, startedMs)));
  }

  /** What the order system could not hold is refused before anything is sent. */
  async #preflight({ claim, draft }: OrderCase): Promise<Claim | null> {
    const outcome = await preflightOrder(this.orderSystem, draft, this.context.timing.callTimeoutMs);
    if (outcome === undefined) return claim;
    await this.#record(claim, outcome);
    return null;
  }

  /**
   * The deadline lies before the lease's end: the lease was renewed after `startedMs`, and the monotonic clock is read
   * just before the call, so that a process that was suspended in between sends nothing.
   */
  async #call(order: OrderCase, startedMs: number): Promise<void> {
    const { leaseMs, leaseMarginMs, callTimeoutMs } = this.context.timing;
    const allowedMs = Math.min(callTimeoutMs, leaseMs - leaseMarginMs);
    const remainingMs = startedMs + allowedMs - this.clock.nowMs();
    const outcome = await createOrder(this.orderSystem, order, Math.floor(remainingMs));
    await this.faults.reach('C5');
    await this.#record(order.claim, outcome);
  }

  /** An order that an earlier claimant left behind. */
  async #resume(order: OrderCase): Promise<void> {
    const { claim, placement } = order;
    switch (placement.state) {
      case 'waiting':
        return; // placed above
      case 'placing':
        // Its claimant died or lost its lease between intent and outcome, so no call of its is under way any more.
        await this.#record(claim, { kind: 'unknown', code: 'outcome_not_recorded', callUntil: undefined });
        return;
      case 'unknown':
        await this.#record(claim, await lookUpOrder(this.orderSystem, order, this.context.timing));
        return;
      case 'created':
      case 'rejected':
      case 'unresolved':
      case 'mismatched':
      case 'superseded':
        await this.unitOfWork.run((tx) => tx.work.finish([claim]));
        return;
    }
  }

  async #record(claim: Claim, outcome: OrderOutcome): Promise<void> {
    this.#watch(outcome);
    const { contractId, side } = claim;
    let recorded: Recorded | undefined;
    try {
      recorded = await this.#outcomes.record({ claim, outcome });
    } catch (error) {
      if (!(error instanceof TerminalError)) throw error;
      // The lease ends, and the order is looked up: what cannot be written now may be answered otherwise then.
      const message = 'What became of an order cannot be recorded.';
      this.alarms.raise('outcome_not_recordable', message, { contractId, side, reason: error.code });
      return;
    }
    if (recorded === undefined) {
      this.alarms.raise('claim_lost', 'An outcome came after its lease; whoever claims the order now looks it up.', {
        contractId,
        side,
      });
    } else if (recorded === 'recorded' && needsPerson(outcome)) {
      this.alarms.raise(`order_${outcome.kind}`, 'An order needs a person to decide.', {
        contractId,
        side,
        reason: outcome.code,
      });
    }
    await this.faults.reach('C6');
  }

  /** An order system that is away is said once per reason, not once per order. */
  #watch(outcome: OrderOutcome): void {
    const isAway = outcome.kind === 'not_looked_up' || (outcome.kind === 'not_written' && !HARMLESS.has(outcome.code));
    const trouble = isAway ? outcome.code : undefined;
    if (trouble !== undefined && trouble !== this.#trouble) {
      this.alarms.raise(
        'order_system_unavailable',
        'The order system takes no orders. They wait, and are tried again.',
        {
          orderSystem: this.orderSystem.name,
          reason: trouble,
        },
      );
    }
    this.#trouble = trouble;
  }
}
