import { codeOf, type ContractId, type Micros } from '@v402/domain';
import { apart } from '../apart.js';
import { daysBefore } from '../days-before.js';
import type { DeliveryLead } from '../orders/work-after-order.js';
import type { Alarms, Wake } from '../ports/seams.js';
import type { StuckRow } from '../ports/stuck-store.js';
import type { UnitOfWork } from '../ports/unit-of-work.js';
import type { NewWork, WorkKind } from '../ports/work-store.js';
import { overdueFindings, type Finding } from './overdue.js';

export interface SweepPolicy {
  /** How many settlements one transaction repairs: it holds the locks of as many. */
  readonly batchSize: number;
  /** Longer than any call to the order system and the lease over it: a call whose work is gone has ended by then. */
  readonly longestCallMs: number;
  readonly deliveryLead: DeliveryLead;
  /** Work and events that wait longer than this have nobody who takes them. */
  readonly overdueMs: number;
  /** What waits for a person longer than this has been overlooked. */
  readonly attentionMs: number;
}

/** What a sweep has done. */
export interface SweepReport {
  /** Work that was missing and was added, by kind. */
  readonly restored: ReadonlyMap<WorkKind, number>;
  readonly findings: readonly Finding[];
}

/**
 * Looks for what got stuck, by the facts and not by what ought to be. Missing work is added again: that is safe, since
 * whoever claims it decides by the row's state, under the settlement's lock. Everything else is said. A sweep may run
 * beside everything that works, any number of times.
 */
export class SweepHandler {
  /** The extent of what has been said already and still holds, by its key. */
  #said: ReadonlyMap<string, bigint> = new Map();

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly policy: SweepPolicy,
    private readonly wake: Wake,
    private readonly alarms: Alarms,
  ) {}

  /** @throws RetryableError when the database is away; what was restored until then stays */
  async handle(signal: AbortSignal): Promise<SweepReport> {
    // First what is said: whatever keeps work from being added again must not keep this from anybody.
    const findings = overdueFindings(await this.unitOfWork.run((tx) => tx.backlog.figures()), this.policy);
    for (const { code, key, extent, message, context } of findings) {
      const said = this.#said.get(key);
      if (said === undefined || extent > said) this.alarms.raise(code, message, context);
    }
    this.#said = new Map(findings.map(({ key, extent }) => [key, extent]));
    return { restored: await this.#restoreWork(signal), findings };
  }

  async #restoreWork(signal: AbortSignal): Promise<ReadonlyMap<WorkKind, number>> {
    const restored = new Map<WorkKind, number>();
    const restore = async (ids: readonly ContractId[]): Promise<void> => {
      for (const { kind } of await this.#restore(ids)) restored.set(kind, (restored.get(kind) ?? 0) + 1);
    };
    const leave = (id: ContractId, error: unknown): Promise<void> => {
      this.#sayLeft(id, error);
      return Promise.resolve();
    };
    try {
      let after: ContractId | undefined;
      do {
        signal.throwIfAborted();
        const from = after;
        const ids = await this.unitOfWork.run((tx) => tx.stuck.find(from, this.policy.batchSize));
        await apart(ids, restore, leave);
        after = ids.at(-1);
      } while (after !== undefined);
      return restored;
    } finally {
      if (restored.size > 0) this.#sayRestored(restored);
    }
  }

  #sayRestored(restored: ReadonlyMap<WorkKind, number>): void {
    const message = 'Work that had to be there was missing, and was added. A backup may have been restored.';
    this.alarms.raise('stuck_work_restored', message, Object.fromEntries(restored));
    this.wake.hint('orders', 'workflows');
  }

  #sayLeft(contractId: ContractId, error: unknown): void {
    const message = 'Work is missing and cannot be added: the rows of its settlement cannot be read or locked.';
    this.alarms.raise('stuck_work_left', message, { contractId, reason: codeOf(error) });
  }

  /** Only what is still missing under the settlements' locks is missing: whoever works adds and ends work under them. */
  async #restore(ids: readonly ContractId[]): Promise<readonly NewWork[]> {
    return this.unitOfWork.run(async (tx) => {
      await tx.settlements.lock(ids);
      const rows = await tx.stuck.ofSettlements(ids);
      const now = await tx.now();
      const work = rows.map((row) => ({ ...keyOf(row), dueAt: this.#dueAt(row, now) }));
      await tx.work.add(work);
      return work;
    });
  }

  #dueAt({ state, lookUpNotBefore, notBefore }: StuckRow, now: Micros): Micros | undefined {
    if (notBefore !== undefined) return daysBefore(notBefore, this.policy.deliveryLead.days);
    // A call may still be under way whose work somebody has removed. No lease tells, so the longest is waited for.
    if (state === 'placing') return now + BigInt(this.policy.longestCallMs) * 1_000n;
    return lookUpNotBefore;
  }
}

const keyOf = ({ kind, contractId, side, subjectId }: StuckRow): Omit<NewWork, 'dueAt'> => ({
  kind,
  contractId,
  side,
  subjectId,
});
