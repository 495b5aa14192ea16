import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { METRICS, type LabelsOf, type MetricDefinition, type MetricName, type NamesOf } from './catalogue.js';

type Instrument = Counter | Gauge | Histogram;

/** The metrics of one process. Only what the catalogue defines can be measured. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #instruments: ReadonlyMap<MetricName, Instrument>;
  readonly #collectors: (() => void | Promise<void>)[] = [];

  constructor() {
    const definitions = Object.entries(METRICS) as [MetricName, MetricDefinition][];
    this.#instruments = new Map(
      definitions.map(([name, definition]) => [name, instrumentOf(name, definition, this.#registry)]),
    );
    collectDefaultMetrics({ register: this.#registry });
  }

  readonly contentType = this.#registry.contentType;

  count<N extends NamesOf<'counter'>>(name: N, labels: LabelsOf<N>, by = 1): void {
    const counter = this.#instruments.get(name);
    if (counter instanceof Counter && by > 0) counter.inc(labels, by);
  }

  set<N extends NamesOf<'gauge'>>(name: N, labels: LabelsOf<N>, value: number): void {
    const gauge = this.#instruments.get(name);
    if (gauge instanceof Gauge) gauge.set(labels, value);
  }

  observe<N extends NamesOf<'histogram'>>(name: N, labels: LabelsOf<N>, value: number): void {
    const histogram = this.#instruments.get(name);
    if (histogram instanceof Histogram) histogram.observe(labels, value);
  }

  /** Forgets the values of these gauges: what cannot be known is not told. */
  forget(...names: readonly NamesOf<'gauge'>[]): void {
    for (const name of names) this.#instruments.get(name)?.reset();
  }

  /** Is run before each answer, for gauges that are looked up and not kept. */
  onCollect(collector: () => void | Promise<void>): void {
    this.#collectors.push(collector);
  }

  /** In the Prometheus text format. */
  async text(): Promise<string> {
    await Promise.all(this.#collectors.map(async (collect) => collect()));
    return this.#registry.metrics();
  }
}

function instrumentOf(name: MetricName, definition: MetricDefinition, registry: Registry): Instrument {
  const { help, labels, buckets } = definition;
  const options = { name, help, labelNames: [...labels], registers: [registry] };
  switch (definition.type) {
    case 'counter':
      return new Counter(options);
    case 'gauge':
      return new Gauge(options);
    case 'histogram':
      return new Histogram({ ...options, ...(buckets !== undefined && { buckets: [...buckets] }) });
  }
}
