import type { AlarmCode } from './alarm-codes.js';

/** Where a process may die, by the names of the crash table in ARCHITECTURE.md. */
export type FaultPointName = 'C1' | 'C2' | 'C3' | 'C4' | 'C5' | 'C6' | 'C7' | 'C8' | 'C9';

/** Lets a test break things where the design says that they may break. Does nothing in production. */
export abstract class FaultPoint {
  abstract reach(point: FaultPointName): Promise<void>;
}

export class NoFaults extends FaultPoint {
  override reach(): Promise<void> {
    return Promise.resolve();
  }
}

/** Makes identifiers of things that no fact names. */
export abstract class Ids {
  /** A UUID. */
  abstract next(): string;
}

export type WorkTopic = 'orders' | 'workflows' | 'relay' | 'schedule' | 'backlog' | 'input';

/** Tells another role in this process that there may be work. A hint: polling is the truth. */
export abstract class Wake {
  abstract hint(...topics: readonly WorkTopic[]): void;
}

/** Says what an operator must see. The context is safe to log. */
export abstract class Alarms {
  abstract raise(code: AlarmCode, message: string, context: Readonly<Record<string, string | number>>): void;
}
