/** What a metric is: the documentation is made of it, and nothing else can be measured. Units stand last in a name. */
export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Every label has few values: codes, kinds and names that we define, never ids or texts from outside. */
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const MESSAGES = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000];

export const METRICS = {
  v402_intake_messages_total: {
    type: 'counter',
    help: 'Messages of the contracts topic that were decided and committed, by what became of them: accepted, duplicates, rejected, quarantined, undecidable.',
    labels: ['outcome'],
  },
  v402_intake_refusals_total: {
    type: 'counter',
    help: 'Refused messages, by refusal code.',
    labels: ['code'],
  },
  v402_intake_batch_messages: {
    type: 'histogram',
    help: 'Messages that intake decides together, in one transaction.',
    labels: [],
    buckets: MESSAGES,
  },
  v402_intake_batch_duration_seconds: {
    type: 'histogram',
    help: 'From a batch in hand to its commit: parsing, rules, signatures and the transaction.',
    labels: ['outcome'],
    buckets: SECONDS,
  },
  v402_intake_lag_records: {
    type: 'gauge',
    help: 'Records behind the end of an assigned partition, as of its last batch. It stands still while the partition is not read: while intake waits (v402_intake_paused), or a batch fails again and again (v402_ready); the lag of the consumer group tells then.',
    labels: ['topic', 'partition'],
  },
  v402_intake_paused: {
    type: 'gauge',
    help: '1 while intake waits because the backlog is over V402_BACKLOG_LIMIT.',
    labels: [],
  },
  v402_transaction_duration_seconds: {
    type: 'histogram',
    help: 'Database transactions of the use cases, repetitions after conflicts included, by outcome: committed, or the code of the error.',
    labels: ['outcome'],
    buckets: SECONDS,
  },
  v402_work_claims_total: {
    type: 'counter',
    help: 'Claims of work, by kind and attempt: first, or again for what was claimed before without progress.',
    labels: ['kind', 'attempt'],
  },
  v402_order_call_duration_seconds: {
    type: 'histogram',
    help: 'Calls to the order system, by operation and outcome: how often, and how long each took. An outcome `failed` could not be asked.',
    labels: ['order_system', 'operation', 'outcome'],
    buckets: SECONDS,
  },
  v402_order_circuit_state: {
    type: 'gauge',
    help: 'The circuit breaker of the order system, in this process: 0 closed, 1 half open, 2 open.',
    labels: [],
  },
  v402_events_published_total: {
    type: 'counter',
    help: 'Events that Kafka has acknowledged, by type; one that is repeated after a crash counts again.',
    labels: ['type'],
  },
  v402_publish_duration_seconds: {
    type: 'histogram',
    help: 'Publications of a batch of events, by outcome: acknowledged, refused, or the code of the error.',
    labels: ['outcome'],
    buckets: SECONDS,
  },
  v402_alarms_total: {
    type: 'counter',
    help: 'Alarms, by code. Each is a log line, too.',
    labels: ['code'],
  },
  v402_sweep_restored_total: {
    type: 'counter',
    help: 'Missing work that the sweep has added again, by kind. More than none means that something has lost it.',
    labels: ['kind'],
  },
  v402_job_runs_total: {
    type: 'counter',
    help: 'Runs of periodic jobs, by job and outcome: succeeded or failed.',
    labels: ['job', 'outcome'],
  },
  v402_ready: {
    type: 'gauge',
    help: '1 while this check of readiness holds, 0 while it does not.',
    labels: ['check'],
  },
  v402_database_figures_up: {
    type: 'gauge',
    help: '1 when the figures of the database below could be read for this answer; they are left out otherwise.',
    labels: [],
  },
  v402_work_due_rows: {
    type: 'gauge',
    help: 'Work that is due and that nobody has claimed, by kind; counted up to 100000.',
    labels: ['kind'],
  },
  v402_work_oldest_due_seconds: {
    type: 'gauge',
    help: 'How long the work has been due that is due longest and not claimed, by kind; 0 where there is none.',
    labels: ['kind'],
  },
  v402_outbox_rows: {
    type: 'gauge',
    help: 'Events that wait to be published, parked streams left out; counted up to 100000.',
    labels: [],
  },
  v402_outbox_oldest_seconds: {
    type: 'gauge',
    help: 'Age of the oldest event that waits to be published, parked streams left out; 0 where there is none.',
    labels: [],
  },
  v402_streams_parked: {
    type: 'gauge',
    help: 'Streams that wait for an operator because Kafka will never take their next event.',
    labels: [],
  },
  v402_relay_shards_unowned: {
    type: 'gauge',
    help: 'Shards with events to publish that no relay owns.',
    labels: [],
  },
  v402_orders_unknown_rows: {
    type: 'gauge',
    help: 'Orders of which it is not known whether they exist, and that may be looked up.',
    labels: [],
  },
  v402_orders_unknown_oldest_seconds: {
    type: 'gauge',
    help: 'How long the oldest of these might have been looked up; 0 where there is none.',
    labels: [],
  },
  v402_obligations_blocked: {
    type: 'gauge',
    help: 'Payments and deliveries of current contracts that are blocked, by kind and code.',
    labels: ['kind', 'code'],
  },
  v402_quarantine_open: {
    type: 'gauge',
    help: 'Cases that nobody has decided (v402 quarantine list), by reason; parked streams are counted apart.',
    labels: ['reason'],
  },
  v402_reconciliation_differences: {
    type: 'gauge',
    help: 'What the last scheduled reconciliation found to differ, by code (docs/reconciliation.md).',
    labels: ['code'],
  },
  v402_reconciliation_agreed_age_seconds: {
    type: 'gauge',
    help: 'Since the end of the last window that a scheduled reconciliation found in agreement, all of it; left out where there is none.',
    labels: [],
  },
  v402_holds_open: {
    type: 'gauge',
    help: 'Holds that are not released, by reason.',
    labels: ['reason'],
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricName = keyof typeof METRICS;
export type NamesOf<Type extends MetricDefinition['type']> = {
  [N in MetricName]: (typeof METRICS)[N]['type'] extends Type ? N : never;
}[MetricName];
/** A value for each label of the metric. */
export type LabelsOf<N extends MetricName> = Readonly<Record<(typeof METRICS)[N]['labels'][number], string>>;
