import { randomUUID } from 'node:crypto';
import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { Alarms, FaultPoint, Ids, UnitOfWork, Wake } from '@v402/application';
import type { RoleConfig } from '@v402/config';
import { LogAlarms, type Logger } from '@v402/observability';
import { PgUnitOfWork } from '@v402/persistence';
import { InProcessWake } from './in-process-wake.js';
import { processName } from './naming.js';
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
}

/** What every role needs: the database, the seams, the log. Shared by all roles of a process. */
@Module({})
export class CoreModule implements OnApplicationShutdown {
  constructor(@Inject(UnitOfWork) private readonly unitOfWork: PgUnitOfWork) {}

  static forRoot({ config, log, faults }: CoreOptions): DynamicModule {
    const owner = `${processName(config)}/${process.pid}/${randomUUID().slice(0, 8)}`;
    const unitOfWork = new PgUnitOfWork({
      url: config.V402_DATABASE_URL,
      applicationName: `v402 ${config.V402_INSTANCE_ID}`,
      maxConnections: config.V402_DATABASE_CONNECTIONS,
    });
    const wake = new InProcessWake();
    return {
      module: CoreModule,
      global: true,
      providers: [
        { provide: LOG, useValue: log },
        { provide: OWNER, useValue: owner },
        { provide: UnitOfWork, useValue: unitOfWork },
        { provide: Ids, useClass: RandomIds },
        { provide: InProcessWake, useValue: wake },
        { provide: Wake, useExisting: InProcessWake },
        { provide: Alarms, useValue: new LogAlarms(log) },
        { provide: FaultPoint, useValue: faults },
      ],
      exports: [LOG, OWNER, UnitOfWork, Ids, InProcessWake, Wake, Alarms, FaultPoint],
    };
  }

  /** Runs after every role has stopped. */
  async onApplicationShutdown(): Promise<void> {
    await this.unitOfWork.close();
  }
}
