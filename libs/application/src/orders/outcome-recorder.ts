import { apart } from '../apart.js';
import type { UnitOfWork } from '../ports/unit-of-work.js';
import type { OutcomeContext, Recorded } from './order-recording.js';
import { recordOutcomes, type KnownOutcome } from './record-outcomes.js';

interface Waiting {
  readonly known: KnownOutcome;
  readonly resolve: (recorded: Recorded | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** How many outcomes one transaction records at most: it holds the locks of as many settlements. */
const MAX_AT_ONCE = 100;

/**
 * Records outcomes in few transactions: the order system's answers that come while one commits share the next. Nothing
 * waits for others to come.
 */
export class OutcomeRecorder {
  #waiting: Waiting[] = [];
  #isRecording = false;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly context: OutcomeContext,
  ) {}

  /** @returns undefined where the claim is no longer ours, and nothing was written */
  record(known: KnownOutcome): Promise<Recorded | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ known, resolve, reject });
      if (!this.#isRecording) void this.#recordAll();
    });
  }

  async #recordAll(): Promise<void> {
    this.#isRecording = true;
    while (this.#waiting.length > 0) await this.#recordSome(this.#waiting.splice(0, MAX_AT_ONCE));
    this.#isRecording = false;
  }

  /**
   * Never rejects: every waiting call gets its own answer. One outcome that cannot be written must not keep the others
   * from being recorded.
   */
  async #recordSome(some: readonly Waiting[]): Promise<void> {
    const together = (waiting: readonly Waiting[]): Promise<void> => this.#recordTogether(waiting);
    const alone = ({ reject }: Waiting, error: unknown): Promise<void> => {
      reject(error);
      return Promise.resolve();
    };
    try {
      await apart(some, together, alone);
    } catch (error) {
      for (const { reject } of some) reject(error); // says nothing to those that have their answer
    }
  }

  async #recordTogether(some: readonly Waiting[]): Promise<void> {
    const known = some.map((each) => each.known);
    const recorded = await this.unitOfWork.run((tx) => recordOutcomes(tx, this.context, known));
    for (const { known, resolve } of some) resolve(recorded.get(known.claim.id));
  }
}
