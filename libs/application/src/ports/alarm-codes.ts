/** What an alarm says, for whoever is woken by it. */
export interface AlarmDefinition {
  /** What it means. */
  readonly meaning: string;
  /** What to do. */
  readonly action: string;
}

/** Every alarm that there is, by its stable code; nothing else can be raised. docs/operations.md lists the same. */
export const ALARMS = {
  input_lost: {
    meaning: 'Messages left the contracts topic before they were decided; the offsets are given',
    action: 'Ask senders to send again what they sent between the two moments; make `retention.ms` longer',
  },
  input_topic_recreated: {
    meaning: 'The contracts topic was deleted and made anew, or cut off; intake takes it from its beginning',
    action: 'Ask senders for what they sent since the last decided message; find out who did it',
  },
  input_offsets_moved: {
    meaning: 'The offsets of the intake group are ahead of what is decided; intake goes back',
    action: 'Nothing for the messages. Find out who moved them; a database restored from a backup shows it, too',
  },
  input_partitions_added: {
    meaning: 'The contracts topic has more partitions than before: messages of one negotiation may overtake each other',
    action: 'Refused `superseded_unknown`? Have it sent again. Never change the number',
  },
  input_topic_create_time: {
    meaning: 'The contracts topic keeps no log-append time, so the database says when a message arrived',
    action: 'Set `message.timestamp.type=LogAppendTime`: v402 topics check',
  },
  input_topic_compressed: {
    meaning: 'The contracts topic keeps records as producers compress them; one that is compressed stops intake',
    action: 'Set `compression.type=uncompressed`: v402 topics check',
  },
  trust_registry_invalid: {
    meaning:
      'The trust registry was changed and cannot be used; the last good one counts, with what it does not revoke',
    action:
      'Correct the file `V402_TRUST_REGISTRY`, at the places that the line names; it is read again when it changes',
  },
  undecidable_message: {
    meaning:
      'A message could not be decided, for a fault of ours, a value that the database refuses, or rows that stay locked; it is parked',
    action: 'v402 quarantine list: a case of its own',
  },
  deal_held: {
    meaning: 'Intake holds a deal: a second contract was signed for it, or it was amended after something had started',
    action: 'v402 quarantine list: a case of its own',
  },
  backlog_over_limit: {
    meaning: 'Intake waits, because more than `V402_BACKLOG_LIMIT` waits behind it',
    action: 'Add processes of the role that is behind (`v402_work_due_rows`, `v402_outbox_rows`)',
  },
  settlement_not_readable: {
    meaning: 'An order cannot be placed, since its stored settlement cannot be read or locked; it is tried again',
    action:
      '`lock_timeout`: find the session that keeps its rows. Else find out who wrote to the database: v402 evidence ID',
  },
  order_system_unavailable: {
    meaning: 'The order system could not be asked, or refused for now; said once per reason as long as that lasts',
    action: 'Look at the order system; what waits goes on by itself',
  },
  order_system_circuit_open: {
    meaning: 'The order system is left alone for a while, since it has not answered several times in a row',
    action: 'Look at the order system; one order at a time is tried until it answers',
  },
  order_rejected: {
    meaning: 'The order system refused an order, or could not hold it',
    action: 'v402 quarantine list: a case of its own',
  },
  order_mismatch: {
    meaning: 'The order system has an order with our reference that is not what was agreed, or more than one',
    action: 'v402 quarantine list: a case of its own',
  },
  order_unresolved: {
    meaning: 'It cannot be found out whether an order exists, however often it was looked up',
    action: 'v402 quarantine list: a case of its own',
  },
  order_retries_exhausted: {
    meaning: 'An order was tried `V402_ORDER_MAX_ATTEMPTS` times, and nothing was written',
    action: 'v402 quarantine list: a case of its own',
  },
  outcome_not_recordable: {
    meaning: 'What became of an order cannot be written down; it is looked up again',
    action:
      '`lock_timeout`: find the session that keeps its rows. A value that the database refuses comes from the order system: it ends with a person',
  },
  claim_lost: {
    meaning: 'An outcome came after its lease had ended; another process looks the order up',
    action:
      'Nothing for the order. Where it happens often, processes stand still for longer than `V402_LEASE_MS`: give them more processor time',
  },
  payment_leg_blocked: {
    meaning: 'A payment is due, and its creditor has no approved account',
    action: 'Add the account to the file `V402_PAYMENT_ACCOUNTS`; it goes on by itself',
  },
  payment_accounts_invalid: {
    meaning: 'The file of approved accounts was changed and cannot be read; the last good one counts',
    action: 'Correct the file; it is read again when it changes',
  },
  release_failed: {
    meaning: 'A payment or delivery cannot be asked for, for the reason in its context; it is tried again',
    action:
      '`lock_timeout`: find the session that keeps its rows. Else compare with v402 show ID; find out who wrote to the database: v402 evidence ID',
  },
  stream_parked: {
    meaning: 'Kafka will never take the next event of a settlement; its later ones wait',
    action: 'v402 quarantine list: a case of its own',
  },
  output_topic_held: {
    meaning: 'An output topic is missing or forbidden: its events wait, others go on',
    action: 'v402 topics create, or its ACLs; it goes on within seconds',
  },
  stuck_work_restored: {
    meaning: 'Rows waited for work that was not there; it was added again',
    action: 'Nothing for the settlements. Find out what lost it: a restored backup, somebody with a client',
  },
  stuck_work_left: {
    meaning: 'Rows wait for work that is not there, and it cannot be added; the next sweep tries again',
    action:
      '`lock_timeout`: find the session that keeps its rows. Else find out who wrote to the database: v402 evidence ID',
  },
  work_overdue: {
    meaning: 'Work has been due for longer than `V402_OVERDUE_MS` and nobody takes it',
    action: 'Is the role running and ready? Are there enough processes?',
  },
  order_outcome_overdue: {
    meaning:
      'It is not known whether orders exist, for longer than `V402_OVERDUE_MS` after they could be looked up first',
    action: 'Look at the order system, and at the code of the order: v402 show ID',
  },
  obligations_blocked: {
    meaning:
      'Payments or deliveries are blocked, by kind and code (`v402_obligations_blocked`); said again when there are more',
    action: '`creditor_account_missing`: add the account. Any other: [settle it by hand](operations-quarantine.md)',
  },
  events_overdue: {
    meaning: 'Events wait for longer than `V402_OVERDUE_MS`',
    action: 'Is a relay running and ready? Is a topic missing (`output_topic_held`)?',
  },
  shards_unowned: {
    meaning: 'Events wait for longer than `V402_OVERDUE_MS`, and no relay owns their shards',
    action: 'Start a relay',
  },
  streams_parked: {
    meaning: 'So many streams are parked (`stream_parked` said each); said again when there are more',
    action: 'v402 quarantine list',
  },
  quarantine_unattended: {
    meaning:
      'Cases have waited for a person for longer than `V402_ATTENTION_HOURS`; said again when another one joins them',
    action: 'v402 quarantine list',
  },
  reconciliation_differs: {
    meaning: 'What was accepted, ordered and published does not agree',
    action: 'v402 reconcile --last says of each difference what to do; for an earlier window give its --from and --to',
  },
  reconciliation_unproven: {
    meaning:
      'For longer than three periods no scheduled reconciliation could look at everything: differences go unseen',
    action: 'v402 reconcile --last says what could not be looked at: the ACLs, Kafka, the order system, a retention',
  },
  job_failed: {
    meaning: 'A periodic job has failed; it is tried again with a backoff',
    action: 'The reason is in its context',
  },
  job_overdue: {
    meaning: 'A run of a periodic job took longer than its period, or than ten minutes where that is longer',
    action: 'Another process takes it over; look at what it waits for',
  },
} as const satisfies Readonly<Record<string, AlarmDefinition>>;

export type AlarmCode = keyof typeof ALARMS;
