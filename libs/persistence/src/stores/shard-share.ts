export interface ShardLease {
  readonly shard: number;
  /** Undefined: free, or its lease has ended. */
  readonly owner: string | undefined;
}

/**
 * Which shards an owner should have. The shares of all live owners differ by at most one and add up to all shards, so
 * that everybody who asks in turn ends with a share; nobody ever takes a shard whose lease runs.
 *
 * @param live the live owners, `owner` among them
 * @returns the shards to keep or take, and those to give back
 */
export function shareOut(
  leases: readonly ShardLease[],
  live: ReadonlySet<string>,
  owner: string,
): { readonly hold: readonly number[]; readonly giveBack: readonly number[] } {
  const rank = [...live].sort().indexOf(owner);
  const share = Math.floor(leases.length / live.size) + (rank < leases.length % live.size ? 1 : 0);
  const ours = leases.filter((lease) => lease.owner === owner).map((lease) => lease.shard);
  const free = leases.filter((lease) => lease.owner === undefined).map((lease) => lease.shard);
  return { hold: [...ours, ...free].slice(0, share), giveBack: ours.slice(share) };
}
