import { UnitOfWork, type Transaction } from '@v402/application';
import type { Micros } from '@v402/domain';

/** Members that take the place of a store's own; they are handed the real store. */
export type StoreOverrides = {
  readonly [Store in keyof Omit<Transaction, 'now'>]?: (real: Transaction[Store]) => Partial<Transaction[Store]>;
} & {
  /** Sets the database's clock by its real time. */
  readonly now?: (real: Micros) => Micros;
};

/** A unit of work whose stores lack a guard or do something else, so that a test can show what the guard is for. */
export class DecoratedUnitOfWork extends UnitOfWork {
  constructor(
    private readonly inner: UnitOfWork,
    private readonly overrides: StoreOverrides,
    /** Told each time that a member is called which takes the place of a store's own. */
    private readonly onOverridden: () => void = () => undefined,
  ) {
    super();
  }

  override run<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.inner.run((tx) => work(this.#decorated(tx)));
  }

  #decorated(tx: Transaction): Transaction {
    return {
      now: async () => (this.overrides.now ?? same)(await tx.now()),
      deals: this.#decorate(tx.deals, this.overrides.deals),
      settlements: this.#decorate(tx.settlements, this.overrides.settlements),
      evidence: this.#decorate(tx.evidence, this.overrides.evidence),
      input: this.#decorate(tx.input, this.overrides.input),
      orders: this.#decorate(tx.orders, this.overrides.orders),
      legs: this.#decorate(tx.legs, this.overrides.legs),
      deliveries: this.#decorate(tx.deliveries, this.overrides.deliveries),
      work: this.#decorate(tx.work, this.overrides.work),
      events: this.#decorate(tx.events, this.overrides.events),
      jobs: this.#decorate(tx.jobs, this.overrides.jobs),
      cases: this.#decorate(tx.cases, this.overrides.cases),
      audit: this.#decorate(tx.audit, this.overrides.audit),
      backlog: this.#decorate(tx.backlog, this.overrides.backlog),
      stuck: this.#decorate(tx.stuck, this.overrides.stuck),
      reconciliations: this.#decorate(tx.reconciliations, this.overrides.reconciliations),
    };
  }

  #decorate<Store extends object>(real: Store, override?: (real: Store) => Partial<Store>): Store {
    if (override === undefined) return real;
    const members = override(real);
    const { onOverridden } = this;
    return new Proxy(real, {
      get(target, name): unknown {
        if (name in members) {
          onOverridden();
          return Reflect.get(members, name);
        }
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    });
  }
}

const same = (now: Micros): Micros => now;
