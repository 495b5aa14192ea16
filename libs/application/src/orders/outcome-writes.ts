import type { ContractId, Micros } from '@v402/domain';
import { SettlementStream, type EventNaming } from '../events/settlement-stream.js';
import { writeStreams } from '../events/write-streams.js';
import type { QuarantineRecord } from '../ports/evidence-store.js';
import type { OrderPlacement } from '../ports/progress-store.js';
import type { HoldRecord } from '../ports/settlement-store.js';
import type { Transaction } from '../ports/unit-of-work.js';
import type { Claim, NewWork, Postponement } from '../ports/work-store.js';
import type { OrderCase } from './order-case.js';

/** What one transaction of outcomes writes, in bulk. The two sides of a settlement share its stream. */
export class OutcomeWrites {
  readonly orders: OrderPlacement[] = [];
  readonly holds: HoldRecord[] = [];
  readonly quarantines: QuarantineRecord[] = [];
  readonly newWork: NewWork[] = [];
  readonly finished: Claim[] = [];
  readonly postponed: Postponement[] = [];
  readonly #streams = new Map<ContractId, SettlementStream>();

  constructor(
    private readonly naming: EventNaming,
    /** The database's clock, read under the settlements' locks. */
    readonly now: Micros,
  ) {}

  stream({ settlement, contract }: Pick<OrderCase, 'settlement' | 'contract'>): SettlementStream {
    const { contractId, traceparent, position } = settlement;
    const open = this.#streams.get(contractId);
    if (open !== undefined) return open;
    const owner = { contractId, negotiationId: contract.negotiationId, traceparent, position };
    const stream = new SettlementStream(this.naming, owner, this.now);
    this.#streams.set(contractId, stream);
    return stream;
  }

  async write(tx: Transaction, settlements: readonly ContractId[]): Promise<void> {
    await tx.orders.save(this.orders);
    await tx.deals.placeHolds(this.holds);
    await tx.evidence.quarantine(this.quarantines);
    await writeStreams(tx, this.#streams);
    await tx.settlements.deriveStates(settlements);
    await tx.work.add(this.newWork);
    await tx.work.finish(this.finished);
    await tx.work.postpone(this.postponed);
  }
}
