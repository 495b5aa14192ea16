import { Ids, type UnitOfWork } from '@v402/application';
import { toUnixSeconds, type Instant, type Micros } from '@v402/domain';
import { DecoratedUnitOfWork } from '@v402/testing';

/** UUIDs that count: a run that is repeated gets the same ones. */
export class CountedIds extends Ids {
  #last = 0;

  override next(): string {
    this.#last += 1;
    return `00000000-0000-8000-8000-${String(this.#last).padStart(12, '0')}`;
  }
}

/** 2200-01-01: work that was put aside is due when the run says so, whatever the day is on which it runs. */
const ASIDE: Micros = 7_258_118_400_000_000n;

/**
 * Leaves nothing of a run over a real database to chance. The database's clock stands where the run has set it; work is
 * done piece by piece, in the order in which it was added; what is postponed waits until `wake`.
 */
export class StagedRun {
  #now: Micros = 0n;
  #places = 0n;

  /** Sets the database's clock. */
  at(instant: Instant): void {
    const fraction = /\.(\d{1,6})/.exec(instant)?.[1] ?? '';
    this.#now = BigInt(toUnixSeconds(instant)) * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
  }

  readonly decorate = (real: UnitOfWork): UnitOfWork =>
    new DecoratedUnitOfWork(real, {
      now: () => this.#now,
      work: (store) => ({
        add: (work) => store.add(work.map((item) => ({ ...item, dueAt: this.#nextPlace() }))),
        claim: (request) => store.claim({ ...request, limit: 1 }),
        postpone: (claims) => store.postpone(claims.map((each) => ({ ...each, dueAt: ASIDE + this.#nextPlace() }))),
      }),
    });

  /** Makes due what was postponed, in the order in which it was. */
  async wake(sql: (text: string, ...values: readonly unknown[]) => Promise<unknown>): Promise<void> {
    await sql(
      `UPDATE v402.work SET due_at = due_at - $1::bigint * interval '1 microsecond' WHERE due_at > clock_timestamp()`,
      ASIDE.toString(),
    );
  }

  #nextPlace(): Micros {
    this.#places += 1n;
    return this.#places;
  }
}
