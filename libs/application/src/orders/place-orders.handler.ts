import { codeOf, type MonotonicClock } from '@v402/domain';
import { allSettled } from '../all-settled.js';
import { apart } from '../apart.js';
import { keepLeases } from '../keep-leases.js';
import type { OrderSystem } from '../ports/order-system.js';
import type { Alarms, FaultPoint, Wake } from '../ports/seams.js';
import type { UnitOfWork } from '../ports/unit-of-work.js';
import type { Claim } from '../ports/work-store.js';
import { CircuitBreaker, type CircuitState } from './circuit-breaker.js';
import { contractIdsOf, readCases, type OrderCase } from './order-case.js';
import { OrderSlots } from './order-slots.js';
import { createOrder, lookUpOrder, preflightOrder } from './order-system-calls.js';
import { OrderReporter } from './order-reporter.js';
import { OUTCOME_NOT_RECORDED, type OrderOutcome } from './outcome.js';
import { recordIntents } from './record-intents.js';
import type { OutcomeContext } from './order-recording.js';

/** An order system that is fast frees its slots within a moment: what is free then is claimed in one transaction. */
const LINGER_MS = 20;

/**
 * Places the orders of accepted settlements: one per served side, whatever dies. A claim alone sends nothing; the intent
 * is recorded (T2) before the order system is called, outside any transaction, and the outcome after it (T3). Whoever
 * finds an intent without an outcome does not know whether the order exists: it waits, looks the order up, and only then
 * goes on.
 */
export class PlaceOrdersHandler {
  readonly #slots = new OrderSlots();
  readonly #circuit: CircuitBreaker;
  readonly #reporter: OrderReporter;
  readonly #rounds = new Set<Promise<void>>();
  readonly #failures: unknown[] = [];

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly orderSystem: OrderSystem,
    private readonly context: OutcomeContext,
    private readonly clock: MonotonicClock,
    /** Names this process in the leases. */
    private readonly owner: string,
    private readonly wake: Wake,
    alarms: Alarms,
    private readonly faults: FaultPoint,
  ) {
    this.#reporter = new OrderReporter(unitOfWork, context, clock, alarms);
    this.#circuit = new CircuitBreaker(context.timing.circuit, clock, () => {
      this.#reporter.circuitOpened();
    });
  }

  /** Whether the order system is asked at all. */
  get circuit(): CircuitState {
    return this.#circuit.state;
  }

  /**
   * One round, to its end.
   * @returns how many orders were claimed; 0 when none is due
   */
  async handle(): Promise<number> {
    const begun = await this.begin();
    await this.end();
    return begun;
  }

  /**
   * Claims what there are free slots for, and begins it. Resolves when there are free slots again: nothing waits for the
   * slowest answer.
   *
   * @returns how many orders were claimed; 0 when none is due, or none may be asked for now
   * @throws what an order begun earlier failed with
   */
  async begin(): Promise<number> {
    this.#throwFailure();
    const { state } = this.#circuit;
    const limit = this.#freeSlots(state);
    const claims = limit === 0 ? [] : await this.#claim(limit);
    if (claims.length === 0) return 0;
    this.#slots.take(claims);
    const round = this.#round(claims, state === 'closed');
    this.#rounds.add(round);
    void round.finally(() => this.#rounds.delete(round));
    if (this.#freeSlots(this.#circuit.state) === 0) await this.#slots.untilFree(LINGER_MS);
    this.wake.hint('workflows', 'relay');
    return claims.length;
  }

  /**
   * Waits until nothing that was begun is under way any more.
   * @throws what an order begun earlier failed with
   */
  async end(): Promise<void> {
    while (this.#rounds.size > 0) await Promise.all(this.#rounds);
    this.#throwFailure();
  }

  #throwFailure(): void {
    if (this.#failures.length > 0) throw this.#failures.splice(0)[0];
  }

  #freeSlots(circuit: CircuitState): number {
    switch (circuit) {
      case 'closed':
        return Math.max(0, this.orderSystem.capabilities.maxConcurrency - this.#slots.taken);
      case 'open':
        return 0;
      case 'half_open':
        return this.#slots.taken === 0 ? 1 : 0;
    }
  }

  #claim(limit: number): Promise<readonly Claim[]> {
    const { leaseMs } = this.context.timing;
    const maxLeased = this.orderSystem.capabilities.maxConcurrency;
    const request = { kinds: ['order'], limit, leaseMs, maxLeased, owner: this.owner } as const;
    return this.unitOfWork.run((tx) => tx.work.claim(request));
  }

  /** Never rejects: what a round fails with is told by the next one. */
  async #round(claims: readonly Claim[], isAttempt: boolean): Promise<void> {
    const { leaseMs } = this.context.timing;
    const renew = (): Promise<void> => this.unitOfWork.run((tx) => tx.work.renew(claims, leaseMs));
    try {
      await keepLeases(leaseMs, renew, () => this.#workOn(claims, isAttempt));
    } catch (error) {
      this.#failures.push(error);
    } finally {
      this.#slots.free(claims);
      this.wake.hint('workflows', 'relay');
    }
  }

  async #workOn(claims: readonly Claim[], isAttempt: boolean): Promise<void> {
    await this.faults.reach('C3');
    const cases = await this.#read(claims);
    await allSettled([
      this.#place(
        cases.filter(({ placement }) => placement.state === 'waiting'),
        isAttempt,
      ),
      ...cases.map((order) => this.#resume(order, isAttempt)),
    ]);
  }

  /** Reads what belongs to the claims; one that cannot be read is put off and said. */
  async #read(claims: readonly Claim[]): Promise<readonly OrderCase[]> {
    const read = (some: readonly Claim[]): Promise<readonly OrderCase[]> =>
      this.unitOfWork.run(async (tx) => {
        const settlements = await tx.settlements.read(contractIdsOf(some));
        const cases = await readCases(tx, some, settlements);
        const held = await tx.deals.held(settlements.map(({ dealKey }) => dealKey));
        // No guard, that is T2's: an order that has to wait anyway is not worth a preflight.
        const isStopped = ({ placement, settlement }: OrderCase): boolean =>
          placement.state === 'waiting' && held.has(settlement.dealKey);
        const dueAt = (await tx.now()) + BigInt(this.context.timing.holdRecheckMs) * 1000n;
        await tx.work.postpone(cases.filter(isStopped).map(({ claim }) => ({ claim, dueAt, progressed: true })));
        return cases.filter((order) => !isStopped(order));
      });
    return (await apart(claims, read, (claim, error) => this.#putOff(claim, error))).flat();
  }

  async #putOff(claim: Claim, error: unknown): Promise<readonly OrderCase[]> {
    await this.unitOfWork.run(async (tx) => {
      const dueAt = (await tx.now()) + BigInt(this.context.timing.holdRecheckMs) * 1000n;
      await tx.work.postpone([{ claim, dueAt, progressed: false }]);
    });
    this.#reporter.notReadable(claim, codeOf(error));
    return [];
  }

  /** Orders that nobody has asked for yet. */
  async #place(orders: readonly OrderCase[], isAttempt: boolean): Promise<void> {
    const sendable = (await allSettled(orders.map((order) => this.#preflight(order, isAttempt)))).filter(
      (passed) => passed !== null,
    );
    if (sendable.length === 0) return;
    const calls: Promise<unknown>[] = [];
    const intend = async (claims: readonly Claim[]): Promise<void> => {
      const startedMs = this.clock.nowMs();
      const intended = await this.unitOfWork.run((tx) => recordIntents(tx, claims, this.context));
      // What was intended is called at once, and does not wait with a lease that runs for what cannot be locked.
      const called = this.#callAll(intended, startedMs, isAttempt);
      called.catch(() => undefined); // what it fails with is thrown below
      calls.push(called);
    };
    try {
      await apart<Claim, unknown>(sendable, intend, (claim, error) => this.#putOff(claim, error));
    } finally {
      await allSettled(calls);
    }
  }

  async #callAll(intended: readonly OrderCase[], startedMs: number, isAttempt: boolean): Promise<void> {
    await this.faults.reach('C4');
    await allSettled(intended.map((order) => this.#call(order, startedMs, isAttempt)));
  }

  /** What the order system could not hold is refused before anything is sent. */
  async #preflight({ claim, draft }: OrderCase, isAttempt: boolean): Promise<Claim | null> {
    const outcome = await preflightOrder(this.orderSystem, draft, this.context.timing.callTimeoutMs);
    if (outcome === undefined) return claim;
    await this.#record(claim, outcome, isAttempt);
    return null;
  }

  /**
   * The monotonic clock is read just before the call, so that a process that was suspended since its intent sends nothing:
   * a call begins only while the lease that T2 renewed still runs, and has ended when the intent says that it has. Both
   * were reckoned from `startedMs` or later.
   */
  async #call(order: OrderCase, startedMs: number, isAttempt: boolean): Promise<void> {
    const { leaseMs, leaseMarginMs, callTimeoutMs } = this.context.timing;
    const passedMs = this.clock.nowMs() - startedMs;
    const mayBegin = passedMs < leaseMs - leaseMarginMs;
    const outcome = await createOrder(this.orderSystem, order, mayBegin ? Math.floor(callTimeoutMs - passedMs) : 0);
    await this.faults.reach('C5');
    await this.#record(order.claim, outcome, isAttempt);
  }

  /** An order that an earlier claimant left behind. */
  async #resume(order: OrderCase, isAttempt: boolean): Promise<void> {
    const { claim, placement } = order;
    switch (placement.state) {
      case 'waiting':
        return; // placed above
      case 'placing':
        // Its claimant died or lost its lease between intent and outcome.
        await this.#record(claim, { kind: 'unknown', code: OUTCOME_NOT_RECORDED }, isAttempt);
        return;
      case 'unknown':
        await this.#record(claim, await this.#lookUp(order), isAttempt);
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

  #lookUp(order: OrderCase): Promise<OrderOutcome> {
    return lookUpOrder(this.orderSystem, order, this.context.timing, this.#circuit.isAnswering);
  }

  async #record(claim: Claim, outcome: OrderOutcome, isAttempt: boolean): Promise<void> {
    this.#reporter.watch(this.#circuit, outcome);
    await this.#reporter.report({ claim, outcome, isAttempt });
    this.#slots.free([claim]);
    await this.faults.reach('C6');
  }
}
