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
  ) {
    super();
  }

  override run<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.inner.run((tx) => work(this.#decorated(tx)));
  }

  #decorated(tx: Transaction): Transaction {
    return {
      now: async () => (this.overrides.now ?? same)(await tx.now()),
      deals: decorate(tx.deals, this.overrides.deals),
      settlements: decorate(tx.settlements, this.overrides.settlements),
      evidence: decorate(tx.evidence, this.overrides.evidence),
      input: decorate(tx.input, this.overrides.input),
      orders: decorate(tx.orders, this.overrides.orders),
      legs: decorate(tx.legs, this.overrides.legs),
      deliveries: decorate(tx.deliveries, this.overrides.deliveries),
      work: decorate(tx.work, this.overrides.work),
      events: decorate(tx.events, this.overrides.events),
      jobs: decorate(tx.jobs, this.overrides.jobs),
      cases: decorate(tx.cases, this.overrides.cases),
      audit: decorate(tx.audit, this.overrides.audit),
      backlog: decorate(tx.backlog, this.overrides.backlog),
      stuck: decorate(tx.stuck, this.overrides.stuck),
      reconciliations: decorate(tx.reconciliations, this.overrides.reconciliations),
    };
  }
}

const same = (now: Micros): Micros => now;

function decorate<Store extends object>(real: Store, override?: (real: Store) => Partial<Store>): Store {
  if (override === undefined) return real;
  const members = override(real);
  return new Proxy(real, {
    get(target, name): unknown {
      if (name in members) return Reflect.get(members, name);
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}
