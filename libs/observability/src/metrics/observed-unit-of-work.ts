import { UnitOfWork, type Claim, type ClaimRequest, type Transaction, type WorkStore } from '@v402/application';
import type { Condition } from '../health/health.js';
import type { Metrics } from './metrics.js';
import { timed } from './timed.js';

/** Times transactions, counts claims, and remembers whether the database answered when it was last used. */
export class ObservedUnitOfWork extends UnitOfWork {
  /** When the database stopped answering, by the monotonic clock, and what it says since. */
  #failing: { readonly sinceMs: number; readonly code: string } | undefined;
  /** When each transaction under way began; the oldest first. */
  readonly #underWay = new Set<{ readonly sinceMs: number }>();

  constructor(
    private readonly inner: UnitOfWork,
    private readonly metrics: Metrics,
  ) {
    super();
  }

  override async run<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    let claims: readonly Claim[] = [];
    const begun = { sinceMs: performance.now() };
    this.#underWay.add(begun);
    const result = await timed(
      () =>
        this.inner.run((tx) => {
          claims = [];
          return work(withClaimsSeen(tx, (claimed) => (claims = claimed)));
        }),
      () => 'committed',
      (outcome, seconds) => {
        this.#remember(outcome);
        this.metrics.observe('v402_transaction_duration_seconds', { outcome }, seconds);
      },
    ).finally(() => this.#underWay.delete(begun));
    for (const { kind, attempts } of claims) {
      this.metrics.count('v402_work_claims_total', { kind, attempt: attempts === 1 ? 'first' : 'again' });
    }
    return result;
  }

  /** Ready as long as the database has not been failing, and no transaction under way, for longer than that. */
  condition(limitMs: number): Condition {
    return () => {
      const sinceMs = performance.now() - limitMs;
      if (this.#failing !== undefined && this.#failing.sinceMs < sinceMs) return this.#failing.code;
      const oldest = this.#underWay.values().next().value;
      return oldest !== undefined && oldest.sinceMs < sinceMs ? 'transaction_stuck' : null;
    };
  }

  /** Whatever else a transaction fails on, the database has answered. */
  #remember(outcome: string): void {
    if (!outcome.startsWith('database_')) this.#failing = undefined;
    else this.#failing = { sinceMs: this.#failing?.sinceMs ?? performance.now(), code: outcome };
  }
}

function withClaimsSeen(tx: Transaction, see: (claims: readonly Claim[]) => void): Transaction {
  const claim = async (request: ClaimRequest): Promise<readonly Claim[]> => {
    const claims = await tx.work.claim(request);
    see(claims);
    return claims;
  };
  const work = new Proxy(tx.work, {
    get(store: WorkStore, name): unknown {
      if (name === 'claim') return claim;
      const member: unknown = Reflect.get(store, name);
      return typeof member === 'function' ? (member.bind(store) as unknown) : member;
    },
  });
  return new Proxy(tx, {
    get(target: Transaction, name): unknown {
      if (name === 'work') return work;
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}
