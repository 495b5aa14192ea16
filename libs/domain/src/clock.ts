import type { Instant } from './time.js';

/** When a message reached the handler's broker, or its database where the broker does not say (section 5, Arrival). */
export interface Arrival {
  readonly at: Instant;
  readonly source: 'broker' | 'database';
}

/** Measures how long something takes; jumps of the wall clock do not touch it. Milliseconds from an arbitrary origin. */
export interface MonotonicClock {
  nowMs(): number;
}
