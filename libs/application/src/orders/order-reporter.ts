import { TerminalError } from '@v402/domain';
import type { Alarms } from '../ports/seams.js';
import type { UnitOfWork } from '../ports/unit-of-work.js';
import type { Claim } from '../ports/work-store.js';
import type { CircuitBreaker } from './circuit-breaker.js';
import type { OutcomeContext, Recorded } from './order-recording.js';
import { OutcomeRecorder } from './outcome-recorder.js';
import { isHarmless, verdictOf, type OrderOutcome } from './outcome.js';
import type { KnownOutcome } from './record-outcomes.js';

type ForPerson = Extract<OrderOutcome, { kind: 'different' | 'unresolved' | 'rejected' }>;

const needsPerson = (outcome: OrderOutcome): outcome is ForPerson =>
  outcome.kind === 'different' || outcome.kind === 'unresolved' || outcome.kind === 'rejected';

/** Records what became of orders, and says what an operator must see of it. */
export class OrderReporter {
  readonly #outcomes: OutcomeRecorder;
  /** Why the order system took no orders last time, if it took none. */
  #trouble: string | undefined;

  constructor(
    unitOfWork: UnitOfWork,
    private readonly context: OutcomeContext,
    private readonly alarms: Alarms,
  ) {
    this.#outcomes = new OutcomeRecorder(unitOfWork, context);
  }

  async report(known: KnownOutcome): Promise<void> {
    const { claim, outcome } = known;
    try {
      this.#say(claim, outcome, await this.#outcomes.record(known));
    } catch (error) {
      if (!(error instanceof TerminalError)) throw error;
      await this.#cannotRecord(known, error);
    }
  }

  notReadable(claim: Claim, reason: string): void {
    const message = 'An order cannot be placed: its settlement cannot be read. It is tried again.';
    this.#raise('order_not_readable', message, claim, reason);
  }

  circuitOpened(): void {
    this.alarms.raise(
      'order_system_circuit_open',
      'The order system is left alone for a while, since it does not answer. Then one order at a time is tried.',
      { orderSystem: this.context.orderSystem.name },
    );
  }

  /** An order system that is away is said once per reason, not once per order. */
  watch(circuit: CircuitBreaker, outcome: OrderOutcome): void {
    const isAway = outcome.kind === 'not_looked_up' || (outcome.kind === 'not_written' && !isHarmless(outcome));
    const trouble = isAway ? outcome.code : undefined;
    if (trouble !== undefined && trouble !== this.#trouble) {
      this.alarms.raise(
        'order_system_unavailable',
        'The order system takes no orders. They wait, and are tried again.',
        { orderSystem: this.context.orderSystem.name, reason: trouble },
      );
    }
    this.#trouble = trouble;
    const verdict = verdictOf(outcome);
    if (verdict === 'answered') circuit.answered();
    if (verdict === 'failed') circuit.failed(outcome.kind === 'not_written' ? outcome.retryAfterMs : undefined);
  }

  /** The lease ends, and the order is looked up: what cannot be written now may be answered otherwise then. */
  async #cannotRecord({ claim, outcome, isAttempt }: KnownOutcome, error: TerminalError): Promise<void> {
    this.#raise('outcome_not_recordable', 'What became of an order cannot be recorded.', claim, error.code);
    if (outcome.kind === 'not_recordable' || claim.attempts < this.context.timing.maxLookUps) return;
    await this.report({ claim, outcome: { kind: 'not_recordable', code: 'outcome_not_recordable' }, isAttempt });
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
        this.#raise('order_retries_exhausted', message, claim, 'code' in outcome ? outcome.code : undefined);
        return;
      }
      case 'recorded':
        if (needsPerson(outcome)) {
          this.#raise(`order_${outcome.kind}`, 'An order needs a person to decide.', claim, outcome.code);
        }
        return;
      case 'put_off':
        return;
    }
  }

  #raise(code: string, message: string, { contractId, side }: Claim, reason?: string): void {
    this.alarms.raise(code, message, { contractId, side, ...(reason !== undefined && { reason }) });
  }
}
