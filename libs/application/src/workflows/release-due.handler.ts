import { codeOf, type Micros } from '@v402/domain';
import { apart, isLocked } from '../apart.js';
import { keepLeases } from '../keep-leases.js';
import type { EventNaming } from '../events/settlement-stream.js';
import { writeStreams } from '../events/write-streams.js';
import type { DeliveryRow, PaymentLeg } from '../ports/progress-store.js';
import type { Alarms, FaultPoint, Wake } from '../ports/seams.js';
import type { Transaction, UnitOfWork } from '../ports/unit-of-work.js';
import type { Claim, Postponement } from '../ports/work-store.js';
import { readReleaseCases, required, rowKey, type ReleaseCase } from './release-case.js';
import { releaseDelivery } from './release-delivery.js';
import { releaseLeg, type LegPolicy } from './release-leg.js';
import type { Released } from './released.js';

export interface ReleasePolicy extends LegPolicy {
  readonly naming: EventNaming;
  readonly batchSize: number;
  /** A claim is ours this long, and is renewed while we work on it. */
  readonly leaseMs: number;
  /** How often work that a hold stops, or that lacks something, is looked at again. */
  readonly recheckMs: number;
}

/**
 * Releases payment legs and deliveries whose trigger has fired and whose time has come. The transaction that appends
 * `*.requested` is their point of no return: it holds the settlement's lock and looks at the deal's holds.
 */
export class ReleaseDueHandler {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly policy: ReleasePolicy,
    /** Names this process in the leases. */
    private readonly owner: string,
    private readonly wake: Wake,
    private readonly alarms: Alarms,
    private readonly faults: FaultPoint,
  ) {}

  /**
   * One round.
   * @returns how much work was claimed; 0 when none is due
   */
  async handle(): Promise<number> {
    const { batchSize: limit, leaseMs } = this.policy;
    const kinds = ['payment_leg', 'delivery'] as const;
    const claims = await this.unitOfWork.run((tx) => tx.work.claim({ kinds, limit, leaseMs, owner: this.owner }));
    if (claims.length === 0) return 0;
    const renew = (): Promise<void> => this.unitOfWork.run((tx) => tx.work.renew(claims, leaseMs));
    await keepLeases(leaseMs, renew, () => this.#releaseAll(claims));
    this.wake.hint('relay');
    return claims.length;
  }

  async #releaseAll(claims: readonly Claim[]): Promise<void> {
    await this.faults.reach('C3');
    const blocked = await this.#releaseSettlements([...Map.groupBy(claims, ({ contractId }) => contractId).values()]);
    for (const { contractId, side, subjectId } of blocked) {
      this.alarms.raise('payment_leg_blocked', 'A payment is due and its creditor has no approved account.', {
        contractId,
        side,
        leg: subjectId,
      });
    }
    await this.faults.reach('C6');
  }

  /** What waits for the lock of one settlement waits for it once, however much of it is due. */
  async #releaseSettlements(settlements: readonly (readonly Claim[])[]): Promise<readonly Claim[]> {
    const release = (some: readonly Claim[]): Promise<readonly Claim[]> =>
      this.unitOfWork.run((tx) => this.#release(tx, some));
    const alone = async (claims: readonly Claim[], error: unknown): Promise<readonly Claim[]> => {
      if (isLocked(error) || claims.length === 1) return this.#putOff(claims, error);
      return (await apart(claims, release, (claim, reason) => this.#putOff([claim], reason))).flat();
    };
    return (await apart(settlements, (some) => release(some.flat()), alone)).flat();
  }

  /** Claims of one settlement that cannot be released are put off and said. */
  async #putOff(claims: readonly Claim[], error: unknown): Promise<readonly Claim[]> {
    await this.unitOfWork.run(async (tx) => {
      const dueAt = (await tx.now()) + BigInt(this.policy.recheckMs) * 1000n;
      await tx.work.postpone(claims.map((claim) => ({ claim, dueAt, progressed: false })));
    });
    for (const { contractId, side, kind, subjectId } of claims) {
      this.alarms.raise('release_failed', 'A payment or delivery cannot be released. It is tried again.', {
        contractId,
        side,
        kind,
        subjectId,
        reason: codeOf(error),
      });
    }
    return [];
  }

  /** @returns the claims whose legs are newly blocked */
  async #release(tx: Transaction, claims: readonly Claim[]): Promise<readonly Claim[]> {
    const ids = [...new Set(claims.map(({ contractId }) => contractId))];
    const settlements = await tx.settlements.lock(ids);
    const ours = await tx.work.confirm(claims, this.policy.leaseMs);
    const now = await tx.now();
    const held = await tx.deals.held(settlements.map(({ dealKey }) => dealKey));
    const cases = await readReleaseCases(tx, settlements, this.policy.naming, now);
    const writes = new ReleaseWrites();
    const recheckAt = now + BigInt(this.policy.recheckMs) * 1000n;
    for (const claim of ours) {
      const release = required(cases.get(claim.contractId));
      if (!release.settlement.current || held.has(release.settlement.dealKey)) {
        writes.postponed.push({ claim, dueAt: recheckAt, progressed: true });
      } else {
        writes.add(claim, this.#releaseOne(release, claim, now, writes), recheckAt);
      }
    }
    await this.faults.reach('C1');
    await writes.write(tx, cases);
    return writes.blocked;
  }

  #releaseOne(release: ReleaseCase, claim: Claim, now: Micros, writes: ReleaseWrites): Released<unknown> {
    const key = rowKey(claim.side, claim.subjectId);
    if (claim.kind === 'payment_leg') {
      const row = required(release.legs.get(key));
      const released = releaseLeg(release, row, this.policy, now);
      if (released.row !== row) writes.legs.push(released.row);
      if (released.next === 'blocked' && row.state !== 'blocked') writes.blocked.push(claim);
      return released;
    }
    const row = required(release.deliveries.get(key));
    const released = releaseDelivery(release, row);
    if (released.row !== row) writes.deliveries.push(released.row);
    return released;
  }
}

/** What one transaction of releases writes, in bulk. */
class ReleaseWrites {
  readonly legs: PaymentLeg[] = [];
  readonly deliveries: DeliveryRow[] = [];
  readonly blocked: Claim[] = [];
  readonly finished: Claim[] = [];
  readonly postponed: Postponement[] = [];

  add(claim: Claim, { next }: Released<unknown>, recheckAt: Micros): void {
    if (next === 'done') this.finished.push(claim);
    else this.postponed.push({ claim, dueAt: next === 'blocked' ? recheckAt : next, progressed: true });
  }

  async write(tx: Transaction, cases: ReadonlyMap<string, ReleaseCase>): Promise<void> {
    await tx.legs.save(this.legs);
    await tx.deliveries.save(this.deliveries);
    const streams = [...cases].map(([contractId, { stream }]) => [contractId, stream] as const);
    await tx.settlements.deriveStates(await writeStreams(tx, streams));
    await tx.work.finish(this.finished);
    await tx.work.postpone(this.postponed);
  }
}
