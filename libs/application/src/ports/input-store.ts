import type { Micros } from '@v402/domain';
import type { DecidedMessage } from './evidence-store.js';

/** How far intake has come in a partition of the contracts topic. */
export interface InputMark {
  readonly partition: number;
  /** Every message before this offset is decided. */
  readonly next: bigint;
  /** The message that was decided last; undefined where none was since the mark was set. */
  readonly last: { readonly offset: bigint; readonly digest: string } | undefined;
  /** When the partition was last known to be in order. It tells one state of the mark from another, too. */
  readonly knownAt: Micros;
}

export type InputLossCode = 'input_lost' | 'input_topic_recreated' | 'input_offsets_moved' | 'input_partitions_added';

/** What was noticed about a partition that may have lost messages before they were decided. */
export interface InputLoss {
  readonly code: InputLossCode;
  readonly topic: string;
  readonly partition: number;
  readonly firstOffset: bigint;
  /** Exclusive; undefined where nobody can know how far it went. */
  readonly nextOffset: bigint | undefined;
  /** When the partition was last known to be in order. */
  readonly knownAt: Micros;
  /** Which process noticed it. */
  readonly process: string;
}

export interface InputStore {
  /** Moves the marks of the partitions beyond messages that are decided, never backwards. */
  advance(decided: readonly DecidedMessage[]): Promise<void>;
  /** All partitions of the topic that have a mark, in their order. */
  marks(topic: string): Promise<readonly InputMark[]>;
  /** Marks partitions that have no mark. @returns which of them had none */
  begin(topic: string, starts: ReadonlyMap<number, bigint>): Promise<ReadonlySet<number>>;
  /** Locks the mark. @returns whether it is still in the state that was read */
  isStill(topic: string, mark: InputMark): Promise<boolean>;
  /** Notes that a locked mark is in order as of now. Up to `next` there is nothing but what consumers do not see. */
  keep(topic: string, partition: number, next: bigint): Promise<void>;
  /** Sets a locked mark anew, forwards or backwards: nothing is decided there that is still in the topic. */
  beginAnew(topic: string, partition: number, next: bigint): Promise<void>;
  /** @returns whether it is news: it is recorded once per state of the mark */
  recordLoss(loss: InputLoss): Promise<boolean>;
}
