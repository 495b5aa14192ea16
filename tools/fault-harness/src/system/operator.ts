import {
  listCases,
  OperationRefused,
  type ListedCase,
  type OperationRefusal,
  type ResolveQuarantineHandler,
  type Resolved,
  type UnitOfWork,
} from '@v402/application';
import { RetryableError } from '@v402/domain';
import type { Random } from '@v402/simulators';
import { setTimeout as sleep } from 'node:timers/promises';
import { isActedOn } from './acted-on.js';

export interface OperatorOptions {
  readonly handler: ResolveQuarantineHandler;
  readonly unitOfWork: UnitOfWork;
  /** What the audit trail calls the person. */
  readonly actor: string;
  readonly random: Random;
  /** Told each time the answer is no, and that was to be expected. */
  readonly onRefused: (code: string) => Promise<void>;
}

/** Operators take what has waited longest, and are two: so they meet. */
const OLDEST = 3;
const PAUSE_MS = { min: 50, max: 450 } as const;

/** What one who acts beside others, and beside the services, has to be prepared for. */
const EXPECTED: ReadonlySet<string> = new Set<OperationRefusal>([
  'already_resolved',
  'already_started',
  'amendment_undecided',
  'approval_not_found',
  'approval_pending',
  'not_current',
  'order_change_unconfirmed',
  'order_undecided',
  'same_person',
  'still_undecidable',
]);
/** The database is away, or others were faster every time. */
const PASSING: ReadonlySet<string> = new Set([
  'database_unavailable',
  'lock_timeout',
  'statement_timeout',
  'transaction_conflict',
]);

/** A person who decides one case after the other, not always wisely. */
export class Operator {
  constructor(private readonly options: OperatorOptions) {}

  /** Acts until the process ends. @throws what no operator may meet */
  async act(): Promise<never> {
    const { random, onRefused } = this.options;
    for (;;) {
      await sleep(random.int(PAUSE_MS.min, PAUSE_MS.max));
      try {
        await this.#decideOne();
      } catch (error) {
        if (error instanceof OperationRefused && EXPECTED.has(error.code)) await onRefused(error.code);
        else if (!(error instanceof RetryableError && PASSING.has(error.code))) throw error;
      }
    }
  }

  async #decideOne(): Promise<void> {
    const { unitOfWork, random } = this.options;
    const open = (await listCases(unitOfWork, {})).filter(isActedOn);
    if (open.length > 0) await this.#decide(random.pick(open.slice(0, OLDEST)));
  }

  #decide(one: ListedCase): Promise<Resolved> | undefined {
    const { handler, actor, random } = this.options;
    const { id, reason, pending } = one;
    // Who asked for a second person mostly leaves it to that one.
    const isOwn = pending?.requestedBy === actor;
    if (isOwn && random.chance(70)) return undefined;
    if (pending !== undefined && random.chance(isOwn ? 30 : 80)) return handler.approve(pending.id, { actor });
    const reject = (): Promise<Resolved> => handler.reject(id, { actor, reason: 'It does not stand.' });
    const redrive = (): Promise<Resolved> => handler.redrive(id, { actor, reason: 'Its cause may be gone.' });
    switch (reason) {
      case 'equivocation':
        return random.chance(50)
          ? handler.release(id, { actor, reason: 'The parties confirm the second one.' }, { orderChanged: false })
          : reject();
      case 'amendment_after_start':
        return random.chance(40)
          ? handler.release(id, { actor, reason: 'The buyer agrees.' }, { orderChanged: random.chance(80) })
          : reject();
      case 'undecidable_message':
        return random.chance(50) ? redrive() : reject();
      case 'order_rejected':
      case 'order_mismatch':
      case 'order_unresolved':
      case 'order_retries_exhausted':
        // What is redriven may come back: without an end to it a run would never come to rest.
        return random.chance(50) ? redrive() : reject();
      case 'stream_parked':
        return redrive();
    }
  }
}
