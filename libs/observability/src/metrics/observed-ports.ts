import {
  Alarms,
  EventPublisher,
  OrderSystem,
  type AlarmCode,
  type CancelOutcome,
  type CreateOptions,
  type CreateOutcome,
  type FindResult,
  type OrderDraft,
  type OrderReference,
  type OrderSnapshot,
  type OrderStatus,
  type OrderSystemCapabilities,
  type PreflightIssue,
  type PublishableEvent,
  type Publication,
} from '@v402/application';
import type { Metrics } from './metrics.js';
import { timed } from './timed.js';

/** Counts alarms by their code. */
export class CountedAlarms extends Alarms {
  constructor(
    private readonly inner: Alarms,
    private readonly metrics: Metrics,
  ) {
    super();
  }

  override raise(code: AlarmCode, message: string, context: Readonly<Record<string, string | number>>): void {
    this.metrics.count('v402_alarms_total', { code });
    this.inner.raise(code, message, context);
  }
}

/** Counts events by type, and times their publication. */
export class ObservedPublisher extends EventPublisher {
  constructor(
    private readonly inner: EventPublisher,
    private readonly metrics: Metrics,
  ) {
    super();
  }

  override async publish(events: readonly PublishableEvent[]): Promise<Publication> {
    const publication = await timed(
      () => this.inner.publish(events),
      ({ refused }) => (refused === undefined ? 'acknowledged' : 'refused'),
      (outcome, seconds) => {
        this.metrics.observe('v402_publish_duration_seconds', { outcome }, seconds);
      },
    );
    for (const { type } of events.slice(0, publication.acknowledged)) {
      this.metrics.count('v402_events_published_total', { type });
    }
    return publication;
  }
}

/** Times the calls to an order system, by their outcome. Codes of the order system are its own and no labels. */
export class ObservedOrderSystem extends OrderSystem {
  readonly name: string;
  readonly capabilities: OrderSystemCapabilities;

  constructor(
    private readonly inner: OrderSystem,
    private readonly metrics: Metrics,
  ) {
    super();
    this.name = inner.name;
    this.capabilities = inner.capabilities;
  }

  override preflight(draft: OrderDraft): Promise<readonly PreflightIssue[]> {
    const ask = (): Promise<readonly PreflightIssue[]> => this.inner.preflight(draft);
    return this.#timed('preflight', ask, (issues) => (issues.length === 0 ? 'passed' : 'refused'));
  }

  override findByReference(reference: OrderReference, signal: AbortSignal): Promise<FindResult> {
    const ask = (): Promise<FindResult> => this.inner.findByReference(reference, signal);
    return this.#timed('find', ask, ({ found }) => found);
  }

  override readBack(reference: OrderReference, signal: AbortSignal): Promise<OrderSnapshot | undefined> {
    return this.#timed('read_back', () => this.inner.readBack(reference, signal), foundOrNone);
  }

  override create(draft: OrderDraft, options: CreateOptions): Promise<CreateOutcome> {
    return this.#timed('create', () => this.inner.create(draft, options), byOutcome);
  }

  override cancel(reference: OrderReference, reason: string, signal: AbortSignal): Promise<CancelOutcome> {
    return this.#timed('cancel', () => this.inner.cancel(reference, reason, signal), byOutcome);
  }

  override status(reference: OrderReference, signal: AbortSignal): Promise<OrderStatus | undefined> {
    return this.#timed('status', () => this.inner.status(reference, signal), foundOrNone);
  }

  #timed<T>(operation: string, ask: () => Promise<T>, outcomeOf: (answer: T) => string): Promise<T> {
    const say = (outcome: string, seconds: number): void => {
      const labels = { order_system: this.name, operation, outcome };
      this.metrics.observe('v402_order_call_duration_seconds', labels, seconds);
    };
    return timed(ask, outcomeOf, say, () => 'failed');
  }
}

const byOutcome = ({ outcome }: { readonly outcome: string }): string => outcome;
const foundOrNone = (answer: unknown): string => (answer === undefined ? 'none' : 'one');
