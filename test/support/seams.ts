import { RetryableError } from '@v402/domain';
import { Alarms, FaultPoint, Wake, type FaultPointName, type WorkTopic } from '@v402/application';

export interface RaisedAlarm {
  readonly code: string;
  readonly context: Readonly<Record<string, string | number>>;
}

/** Keeps the alarms that were raised. */
export class RecordedAlarms extends Alarms {
  readonly raised: RaisedAlarm[] = [];

  override raise(code: string, _message: string, context: RaisedAlarm['context']): void {
    this.raised.push({ code, context });
  }

  /** The alarms since the last look. */
  take(): RaisedAlarm[] {
    return this.raised.splice(0);
  }
}

/** Keeps the topics that were hinted at. */
export class RecordedWake extends Wake {
  readonly hints: WorkTopic[] = [];

  override hint(...topics: readonly WorkTopic[]): void {
    this.hints.push(...topics);
  }
}

/** Dies at one point, the first time that it is reached. */
export class DiesOnceAt extends FaultPoint {
  #isDead = false;

  constructor(private readonly at: FaultPointName) {
    super();
  }

  override reach(point: FaultPointName): Promise<void> {
    if (point !== this.at || this.#isDead) return Promise.resolve();
    this.#isDead = true;
    return Promise.reject(new RetryableError('process_died', `died at ${point}`));
  }
}

/** Does something whenever the point is reached. */
export class DoesAt extends FaultPoint {
  constructor(
    private readonly at: FaultPointName,
    private readonly step: () => Promise<unknown>,
  ) {
    super();
  }

  override async reach(point: FaultPointName): Promise<void> {
    if (point === this.at) await this.step();
  }
}

/** Stops whoever reaches the point until `release`. */
export class StopsAt extends FaultPoint {
  /** Resolves when so many have reached the point. */
  readonly reached: Promise<void>;
  release: () => void = () => undefined;
  readonly #released = new Promise<void>((resolve) => (this.release = resolve));
  #arrive: () => void = () => undefined;
  #missing: number;

  constructor(
    private readonly at: FaultPointName,
    count = 1,
  ) {
    super();
    this.#missing = count;
    this.reached = new Promise((resolve) => (this.#arrive = resolve));
  }

  override async reach(point: FaultPointName): Promise<void> {
    if (point !== this.at) return;
    this.#missing -= 1;
    if (this.#missing === 0) this.#arrive();
    await this.#released;
  }
}
