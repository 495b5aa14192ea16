import type { ContractId, Micros, Side } from '@v402/domain';

export type WorkKind = 'order' | 'payment_leg' | 'delivery';

export interface WorkKey {
  readonly kind: WorkKind;
  readonly contractId: ContractId;
  readonly side: Side;
  /** Leg or delivery id; empty for an order. */
  readonly subjectId: string;
}

export interface NewWork extends WorkKey {
  /** Undefined: at once. */
  readonly dueAt: Micros | undefined;
}

/** A piece of work that this process may do until the lease ends. */
export interface Claim extends WorkKey {
  readonly id: bigint;
  readonly epoch: number;
  /** Attempts since the last progress, this one included. A claim that its process died with was none. */
  readonly attempts: number;
  readonly leaseUntil: Micros;
}

export interface Postponement {
  readonly claim: Claim;
  readonly dueAt: Micros;
  /** Starts the count of attempts, and with it the backoff, anew. */
  readonly progressed: boolean;
  /** The claim is not counted as an attempt: why it came to nothing has nothing to do with this work. */
  readonly uncounted?: boolean;
}

export interface ClaimRequest {
  readonly kinds: readonly WorkKind[];
  readonly limit: number;
  readonly leaseMs: number;
  /** So many leases of these kinds may run at once, over all processes; undefined: any number. */
  readonly maxLeased?: number;
  /** Which process claims, for people who look at the table. */
  readonly owner: string;
}

export interface WorkStore {
  /** Adds what is not there yet. */
  add(work: readonly NewWork[]): Promise<void>;
  /** Claims work that is due and free, or whose lease has ended; raises its epoch. */
  claim(request: ClaimRequest): Promise<readonly Claim[]>;
  /**
   * Locks the claims that are still ours and renews their leases to `leaseMs` from now. A claim with another epoch is
   * left out: somebody else has taken the work over, and whatever we know is stale.
   *
   * @returns the claims that are ours, with the renewed `leaseUntil`
   */
  confirm(claims: readonly Claim[], leaseMs: number): Promise<readonly Claim[]>;
  /**
   * Renews the leases of the claims that are still ours, while we work on them. Unlike `confirm` it leaves out what we have
   * given back.
   */
  renew(claims: readonly Claim[], leaseMs: number): Promise<void>;
  /** The work is done. */
  finish(claims: readonly Claim[]): Promise<void>;
  /** Gives the claims back, due at the given moment. */
  postpone(claims: readonly Postponement[]): Promise<void>;
  /** Drops all work of these settlements. */
  dropOfSettlements(ids: readonly ContractId[]): Promise<void>;
}
