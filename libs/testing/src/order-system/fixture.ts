import type { OrderReference, OrderSystem } from '@v402/application';

/** A create that the order system has in hand and does not finish until it is released. */
export interface HeldCreate {
  /** Resolves as soon as the order system has the next create in hand. */
  readonly reached: Promise<void>;
  readonly release: () => void;
}

/** A real order system and the adapter under test, with hands on what happens between the two. */
export interface OrderSystemFixture {
  readonly system: OrderSystem;
  /** The same adapter, turned to where no order system answers. */
  readonly unreachable: OrderSystem;
  /** Counts the orders under a reference in the order system itself, not through the adapter. */
  readonly countOrders: (reference: OrderReference) => Promise<number>;
  /** The next create takes effect, but its answer never arrives. */
  readonly loseNextAnswer: () => void;
  /** The next create fails on its way, after the order system has begun with it. */
  readonly breakNextCreate: () => void;
  /** The next create stays in the order system's hands, not yet effective, until released. */
  readonly holdNextCreate: () => HeldCreate;
  /** Does in the order system what its people do once all goods are out. */
  readonly fulfil: (reference: OrderReference) => Promise<void>;
  readonly close: () => Promise<void>;
}
