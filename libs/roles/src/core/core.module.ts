import { randomUUID } from 'node:crypto';
import { Module, type DynamicModule, type OnApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import { Alarms, FaultPoint, Ids, UnitOfWork, Wake } from '@v402/application';
import type { RoleConfig } from '@v402/config';
import { CountedAlarms, LogAlarms, ObservedUnitOfWork, type Logger } from '@v402/observability';
import { PgUnitOfWork } from '@v402/persistence';
import { InProcessWake } from './in-process-wake.js';
import { Loops } from './loops.js';
import { processName } from './naming.js';
import { collectFigures, Operations } from './operations.js';
import { LOG, OWNER } from './tokens.js';

export class RandomIds extends Ids {
  override next(): string {
    return randomUUID();
  }
}

export interface CoreOptions {
  readonly config: Pick<
    RoleConfig<'relay'>,
    'V402_INSTANCE_ID' | 'V402_PROCESS_NAME' | 'V402_DATABASE_URL' | 'V402_DATABASE_CONNECTIONS'
  >;
  readonly log: Logger;
  readonly faults: FaultPoint;
  readonly operations: Operations;
}

/** What every role needs: the database, the seams, the log. Shared by all roles of a process. */
@Module({})
export class CoreModule implements OnModuleDestroy, OnApplicationShutdown {
  constructor(
    private readonly database: PgUnitOfWork,
    private readonly operations: Operations,
  ) {}

  static forRoot({ config, log, faults, operations }: CoreOptions): DynamicModule {
    const owner = `${processName(config)}/${process.pid}/${randomUUID().slice(0, 8)}`;
    const database = new PgUnitOfWork({
      url: config.V402_DATABASE_URL,
      applicationName: `v402 ${config.V402_INSTANCE_ID}`,
      maxConnections: config.V402_DATABASE_CONNECTIONS,
    });
    const { metrics, health, unreadyAfterMs } = operations;
    const unitOfWork = new ObservedUnitOfWork(database, metrics);
    health.add('database', unitOfWork.condition(unreadyAfterMs));
    collectFigures(metrics, unitOfWork);
    const wake = new InProcessWake();
    return {
      module: CoreModule,
      global: true,
      providers: [
        { provide: LOG, useValue: log },
        { provide: OWNER, useValue: owner },
        { provide: Operations, useValue: operations },
        { provide: PgUnitOfWork, useValue: database },
        { provide: UnitOfWork, useValue: unitOfWork },
        { provide: Ids, useClass: RandomIds },
        { provide: InProcessWake, useValue: wake },
        { provide: Wake, useExisting: InProcessWake },
        { provide: Loops, useValue: new Loops(wake, log, operations) },
        { provide: Alarms, useValue: new CountedAlarms(new LogAlarms(log), metrics) },
        { provide: FaultPoint, useValue: faults },
      ],
      exports: [LOG, OWNER, Operations, UnitOfWork, Ids, Loops, Wake, Alarms, FaultPoint],
    };
  }

  onModuleDestroy(): void {
    this.operations.health.drain();
  }

  /** Runs after every role has stopped. */
  async onApplicationShutdown(): Promise<void> {
    await this.database.close();
    await this.operations.close();
  }
}
