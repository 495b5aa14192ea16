import {
  NoFaults,
  ResolveQuarantineHandler,
  type AuditEntry,
  type EventNaming,
  type FaultPoint,
  type OperationsContext,
  type OperatorCase,
  type Resolved,
  type UnitOfWork,
} from '@v402/application';
import { DEFAULT_TOPICS } from '@v402/events';
import { PgUnitOfWork } from '@v402/persistence';
import { DELIVERY_LEAD_DAYS } from './back-office.js';
import type { IntakeScene } from './intake-scene.js';

const NAMING: EventNaming = { source: 'urn:v402:handler:test', topics: DEFAULT_TOPICS };

export interface OperatorParts {
  readonly approvalOver?: OperationsContext['approvalOver'];
  readonly naming?: EventNaming;
  readonly faults?: FaultPoint;
  readonly decorate?: (real: UnitOfWork) => UnitOfWork;
  /** The database's login; that of the first operator unless told. */
  readonly url?: string;
}

/** An operator at work: as the database role of operators, with the real intake for stored bytes. */
export class Operator {
  readonly unitOfWork: UnitOfWork;
  readonly #pg: PgUnitOfWork;

  constructor(
    private readonly scene: IntakeScene,
    { decorate = (real) => real, url = scene.database.operatorUrl }: Pick<OperatorParts, 'decorate' | 'url'> = {},
  ) {
    this.#pg = new PgUnitOfWork({ url, applicationName: 'operator', maxConnections: 4 });
    this.unitOfWork = decorate(this.#pg);
  }

  handler({
    approvalOver = {},
    naming = NAMING,
    faults = new NoFaults(),
  }: OperatorParts = {}): ResolveQuarantineHandler {
    return new ResolveQuarantineHandler(this.unitOfWork, {
      naming,
      deliveryLead: { days: DELIVERY_LEAD_DAYS },
      approvalOver,
      ids: this.scene.ids,
      faults,
      intake: () => this.scene.handlerWith({ unitOfWork: this.unitOfWork }),
    });
  }

  release(id: string, orderChanged = false): Promise<Resolved> {
    return this.handler().release(id, { actor: 'olivia', reason: 'the parties confirmed it' }, { orderChanged });
  }

  reject(id: string): Promise<Resolved> {
    return this.handler().reject(id, { actor: 'olivia', reason: 'the parties withdrew it' });
  }

  redrive(id: string): Promise<Resolved> {
    return this.handler().redrive(id, { actor: 'olivia', reason: 'its cause is corrected' });
  }

  cases(contractId?: string): Promise<readonly OperatorCase[]> {
    return this.unitOfWork.run((tx) => tx.cases.list(contractId === undefined ? {} : { contractId }));
  }

  /** The one open case of a contract. */
  async caseOf({ contractId }: { readonly contractId: string }): Promise<OperatorCase> {
    const [only, ...others] = await this.cases(contractId);
    expect(others).toEqual([]);
    return only!;
  }

  audit(): Promise<readonly AuditEntry[]> {
    return this.unitOfWork.run((tx) => tx.audit.after(0n, 10_000));
  }

  async close(): Promise<void> {
    await this.#pg.close();
  }
}
