/**
 * Everything that a reconciliation can find, by its stable code: what it means, and what to do about it. docs/reconciliation.md
 * lists the same.
 */
export const DIFFERENCES = {
  acceptance_without_settlement:
    'A message was accepted, and its settlement is not there. Restore the database from a backup and keep this one: v402 evidence ID.',
  settlement_without_acceptance:
    'A settlement has no acceptance, or more than one. Find out who wrote to the database: v402 evidence ID, then v402 verify.',
  settlement_contract_differs:
    'The stored contract is not the one that was signed. Find out who wrote to the database: v402 evidence ID, then v402 verify.',
  settlement_total_differs:
    'The stored total is not that of the signed contract. Find out who wrote to the database: v402 evidence ID, then v402 verify.',
  legs_total_differs:
    'The payment legs of a side do not add up to the total of the contract. Stop its payments and compare: v402 evidence ID, then v402 verify.',
  request_not_announced:
    'A payment, invoice or delivery counts as asked for, and no event says so. Nobody was asked: compare with v402 show ID.',
  requested_too_often:
    'A payment, invoice or delivery was asked for more often than it counts. Receivers act once per idempotencyKey; compare with v402 show ID.',
  order_not_announced: 'An order exists, and no order.created says so. Tell its consumers; compare with v402 show ID.',
  order_missing:
    'The order that was created is not in the order system any more. Ask there who removed it; v402 show ID has its number.',
  order_doubled:
    'The order system has more than one order with this reference. Cancel there what was not announced: v402 show ID has the number that was.',
  order_differs:
    'The order in the order system is not what was agreed. Correct it there, or agree an amendment; v402 evidence ID --order-system shows both.',
  order_number_differs:
    'The order system has the order under another number than was announced. Compare with v402 show ID, and tell its consumers.',
  order_unexpected:
    'The order system has an order of a contract whose order was not made. Look whether somebody entered it by hand: v402 show ID.',
  order_work_missing:
    'An order is to be made, and nothing is left that would make it. Find out who removed its work: v402 show ID.',
  event_row_missing:
    'A settlement has given out more sequences than it has events: one was deleted. Restore it from a backup, or from Kafka.',
  event_missing:
    'An event was acknowledged by Kafka, and the topic does not have it. Find out who deleted records; its bytes are in v402 evidence ID.',
  event_unpublished:
    'An event waits to be published longer than it should. Look at the relay: v402 overview, and its log for alarms.',
  event_bytes_differ:
    'A record has the id of an event and other bytes. Somebody else writes to the topic: check its ACLs; consumers got v402 evidence ID as the truth.',
  event_place_differs:
    'An event stands on another topic, or under another key, than it belongs. Somebody else writes to the topic: check its ACLs.',
  event_out_of_order:
    'An event was first published before the one that precedes it. Consumers drop the earlier one: read the topic again there. Tell us.',
  event_unknown:
    'A record on an output topic is no event of this handler. Somebody else writes to the topic: check its ACLs. A restored database shows it, too.',
  rejection_not_announced:
    'A message was refused or quarantined, and no event says so. Its sender was told nothing: v402 evidence DIGEST.',
  message_undecided:
    'A message is in the contracts topic, intake is beyond it, and nobody has decided it. Set the group back to its offset while intake is stopped.',
  message_waiting:
    'A message waits for its decision longer than it should. Look at intake: its log for alarms, its readiness.',
  message_replaced:
    'Another message stands where one was decided: the topic was deleted and made anew. Ask senders for what they sent since; see input_lost.',
  input_lost:
    'Messages left the contracts topic before they were decided. Ask senders to send again what they sent then, and lengthen retention.ms.',
  input_topic_recreated:
    'The contracts topic was deleted and made anew. What was in it and not decided is lost: ask senders to send it again.',
  input_offsets_moved:
    'The offsets of the intake group were ahead of what is decided. Intake went back; nothing was lost. Who moved them, or restored the database?',
  input_partitions_added:
    'The contracts topic has more partitions than before: messages of one negotiation may overtake each other. Never change their number.',
  work_overdue: 'Work is due, and nobody does it. Look whether its role runs: v402 overview, and its log for alarms.',
  stream_parked:
    'Kafka will never take the next event of this settlement as it is; its later events wait. Raise max.message.bytes, then unpark it.',
} as const;

export type DifferenceCode = keyof typeof DIFFERENCES;

/** What a reconciliation could not look at: then nothing is proven there. */
export const UNPROVEN = {
  topic_unread: 'The topic could not be read. Run it again when Kafka can be reached: v402 topics check.',
  input_start_unknown:
    'Messages of that time may have left the contracts topic, and intake never came to this partition. Choose a later --from, or lengthen retention.ms.',
  order_system_unread: 'The order system could not be asked. Run it again when it can be reached.',
  events_not_retained:
    'The topic does not hold the events of that time any more. Choose a later --from, or lengthen its retention.ms.',
} as const;

export type UnprovenCode = keyof typeof UNPROVEN;

/** What can be looked at later. The rest is gone for good, and no later look brings it back. */
export const CURABLE: ReadonlySet<UnprovenCode> = new Set(['topic_unread', 'order_system_unread']);

/** What is known and waits for a person; no difference. */
export const ATTENTION = {
  open_hold: 'Nothing new starts on this deal until somebody has looked at it: v402 show ID.',
} as const;

export type AttentionCode = keyof typeof ATTENTION;
