import type { Micros } from '@v402/domain';
import type { WorkKind } from './work-store.js';

/** What has been begun and is not done. Counted up to a limit: cheap, however much there is. */
export interface Backlog {
  /** Orders that were not placed yet and are not held, and payments and deliveries that are due. */
  readonly work: number;
  /** Events that wait to be published, parked streams left out. */
  readonly events: number;
}

export type BlockedKind = Exclude<WorkKind, 'order'>;

/** What waits, as it stands in the database at one moment. Ages in milliseconds by the database's clock, 0 where nothing waits. */
export interface StandingFigures {
  /** Work that is due and not claimed, for each kind; counted up to 100,000. */
  readonly work: Readonly<Record<WorkKind, { readonly due: number; readonly oldestMs: number }>>;
  readonly events: { readonly waiting: number; readonly oldestMs: number };
  readonly parkedStreams: number;
  /** Shards with events to publish, no parked ones, that no relay owns. */
  readonly unownedShards: number;
  /** Orders of which it is not known whether they exist, and that may be looked up; the age since they first might be. */
  readonly unknownOrders: { readonly open: number; readonly oldestMs: number };
  /** Payments and deliveries of current contracts that are blocked. */
  readonly blocked: readonly { readonly kind: BlockedKind; readonly code: string; readonly open: number }[];
  /** Cases that no person has decided yet, by reason; parked streams are counted apart. */
  readonly quarantine: ReadonlyMap<
    string,
    { readonly open: number; readonly oldestMs: number; readonly newestAt: Micros }
  >;
  /** Open holds, by reason. */
  readonly holds: ReadonlyMap<string, number>;
  readonly reconciliation: {
    /** What the last scheduled reconciliation found, by code. */
    readonly differences: ReadonlyMap<string, number>;
    /** Since one last found everything in agreement; undefined where none has. */
    readonly agreedAgeMs: number | undefined;
  };
}

export interface BacklogStore {
  /** Each part is counted up to `limit` + 1. */
  size(limit: number): Promise<Backlog>;
  figures(): Promise<StandingFigures>;
}
