import { backoffMs, RetryableError, TerminalError, type MonotonicClock } from '@v402/domain';
import { isAway } from '../apart.js';
import type { AlarmCode } from '../ports/alarm-codes.js';
import type { Alarms } from '../ports/seams.js';
import type { UnitOfWork } from '../ports/unit-of-work.js';
import type { Claim, Postponement } from '../ports/work-store.js';
import type { CircuitBreaker } from './circuit-breaker.js';
import type { OutcomeContext, Recorded } from './order-recording.js';
import { OutcomeRecorder } from './outcome-recorder.js';
import { isHarmless, ORDER_NOT_READABLE, verdictOf, type OrderOutcome } from './outcome.js';
import type { KnownOutcome } from './record-outcomes.js';

/** The alarms of outcomes that need a person to decide: they are called as the case is. */
const FOR_PERSON: Readonly<Partial<Record<OrderOutcome['kind'], AlarmCode>>> = {
  different: 'order_mismatch',
  unresolved: 'order_unresolved',
  rejected: 'order_rejected',
};

/** Records what became of orders, and says what an operator must see of it. */
export class OrderReporter {
  readonly #outcomes: OutcomeRecorder;
  /** When each reason for which the order system could not be used was last met, by the monotonic clock. */
  readonly #troubles = new Map<string, number>();

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly context: OutcomeContext,
    private readonly clock: MonotonicClock,
    private readonly alarms: Alarms,
  ) {
    this.#outcomes = new OutcomeRecorder(unitOfWork, context);
  }

  async report(known: KnownOutcome): Promise<void> {
    const { claim, outcome } = known;
    try {
      this.#say(claim, outcome, await this.#outcomes.record(known));
    } catch (error) {
      if (error instanceof TerminalError) await this.#cannotRecord(known, error);
      else if (error instanceof RetryableError && !isAway(error)) await this.#waitForRow(claim, error);
      else throw error;
    }
  }

  notReadable(claim: Claim, reason: string): void {
    const message = 'An order cannot be placed: its settlement cannot be read or locked. It is tried again.';
    this.#raise('settlement_not_readable', message, claim, reason);
  }

  circuitOpened(): void {
    this.alarms.raise(
      'order_system_circuit_open',
      'The order system is left alone for a while, since it does not answer. Then one order at a time is tried.',
      { orderSystem: this.context.orderSystem.name },
    );
  }

  /** An order system that cannot be used is said once per reason as long as that lasts, not once per order or attempt. */
  watch(circuit: CircuitBreaker, outcome: OrderOutcome): void {
    const trouble = troubleOf(outcome);
    if (trouble !== undefined && this.#isNew(trouble)) {
      this.alarms.raise(
        'order_system_unavailable',
        'The order system could not be asked, or refused for now. What waits for it is tried again.',
        { orderSystem: this.context.orderSystem.name, reason: trouble },
      );
    }
    const verdict = verdictOf(outcome);
    if (verdict === 'answered') circuit.answered();
    if (verdict === 'failed') circuit.failed(outcome.kind === 'not_written' ? outcome.retryAfterMs : undefined);
  }

  /** Whatever fails is tried again within the longest pauses: a reason that was not met for twice as long is over. */
  #isNew(trouble: string): boolean {
    const { backoff, circuit } = this.context.timing;
    const nowMs = this.clock.nowMs();
    const metMs = this.#troubles.get(trouble);
    this.#troubles.set(trouble, nowMs);
    return metMs === undefined || nowMs - metMs > 2 * (backoff.maxMs + circuit.open.maxMs);
  }

  /** The order is looked up again later: what cannot be written now may be answered otherwise then. */
  async #cannotRecord({ claim, outcome, isAttempt }: KnownOutcome, error: TerminalError): Promise<void> {
    this.#raise('outcome_not_recordable', 'What became of an order cannot be recorded.', claim, error.code);
    const { maxLookUps } = this.context.timing;
    if (outcome.kind !== 'not_recordable' && claim.attempts >= maxLookUps) {
      await this.report({ claim, outcome: { kind: 'not_recordable', code: 'outcome_not_recordable' }, isAttempt });
      return;
    }
    await this.#putOff(claim, { uncounted: false });
  }

  /** A row of it is locked by somebody, or damaged. That says nothing about the order, so it is no attempt of it. */
  async #waitForRow(claim: Claim, error: RetryableError): Promise<void> {
    const message = 'What became of an order cannot be recorded for now. It is looked up again.';
    this.#raise('outcome_not_recordable', message, claim, error.code);
    await this.#putOff(claim, { uncounted: true });
  }

  async #putOff(claim: Claim, { uncounted }: Required<Pick<Postponement, 'uncounted'>>): Promise<void> {
    const pauseMs = backoffMs(this.context.timing.backoff, claim.attempts);
    await this.unitOfWork.run(async (tx) => {
      const dueAt = (await tx.now()) + BigInt(pauseMs) * 1_000n;
      await tx.work.postpone([{ claim, dueAt, progressed: false, uncounted }]);
    });
  }

  #say(claim: Claim, outcome: OrderOutcome, recorded: Recorded | undefined): void {
    switch (recorded) {
      case undefined: {
        const message = 'An outcome came after its lease; whoever claims the order now looks it up.';
        this.#raise('claim_lost', message, claim);
        return;
      }
      case 'exhausted': {
        const message = 'An order was tried as often as it may be, and nothing was written. A person has to look.';
        this.#raise('order_retries_exhausted', message, claim, reasonOf(outcome));
        return;
      }
      case 'recorded': {
        const code = FOR_PERSON[outcome.kind];
        if (code !== undefined) this.#raise(code, 'An order needs a person to decide.', claim, reasonOf(outcome));
        return;
      }
      case 'put_off':
        return;
    }
  }

  #raise(code: AlarmCode, message: string, { contractId, side }: Claim, reason?: string): void {
    this.alarms.raise(code, message, { contractId, side, ...(reason !== undefined && { reason }) });
  }
}

/** Why the order system could not be used, if it could not. One that answered has another trouble: this order alone. */
function troubleOf(outcome: OrderOutcome): string | undefined {
  switch (outcome.kind) {
    case 'not_looked_up':
      return outcome.code === ORDER_NOT_READABLE ? undefined : outcome.code;
    case 'not_written':
      return isHarmless(outcome) ? undefined : outcome.code;
    case 'created':
    case 'rejected':
    case 'unknown':
    case 'different':
    case 'unresolved':
    case 'not_recordable':
      return undefined;
  }
}

const reasonOf = (outcome: OrderOutcome): string | undefined => ('code' in outcome ? outcome.code : undefined);
