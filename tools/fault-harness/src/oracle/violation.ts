/** What can be wrong, by what it says about the system. */
export type Check =
  /** One event has two contents, or one fact two events. */
  | 'event_identity'
  /** First publications of a stream are not in order, or one is missing. */
  | 'event_order'
  /** What was published is not what was recorded. */
  | 'event_record'
  /** A contract was not settled, or more or less came of it than was agreed. */
  | 'settlement'
  /** An order is missing, stands twice, or is not what was agreed. */
  | 'order'
  /** Something was asked for twice, or for another amount than was agreed. */
  | 'payment'
  /** A delivery was neither decided nor counted. */
  | 'decision'
  /** A refused message is not recorded once, with its code and bytes, or a good one was refused. */
  | 'refusal'
  /** A conflict was not quarantined, or something else was. */
  | 'quarantine'
  /** Something was asked for while a hold was open, or a hold was not placed, released or announced as it had to be. */
  | 'hold'
  /** What operators did is not written down once, in a chain without gaps. */
  | 'audit'
  /** Something waits, and nobody can see for what. */
  | 'stuck'
  /** A process ended although nobody had killed it or told it to end. */
  | 'crash';

export interface Violation {
  readonly check: Check;
  readonly text: string;
}
