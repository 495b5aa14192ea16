import { Module, type DynamicModule } from '@nestjs/common';
import { Alarms, FaultPoint, PaymentAccounts, ReleaseDueHandler, UnitOfWork, Wake } from '@v402/application';
import type { RoleConfig } from '@v402/config';
import type { Logger } from '@v402/observability';
import { InProcessWake } from '../core/in-process-wake.js';
import { eventNaming } from '../core/naming.js';
import { PollingLoop } from '../core/polling-loop.js';
import { RoleLoop } from '../core/role-loop.js';
import { LOG, OWNER } from '../core/tokens.js';
import { FilePaymentAccounts, NoPaymentAccounts } from './file-payment-accounts.js';
import { scheduleLoop } from './schedule.js';

type WorkflowsConfig = RoleConfig<'workflows'>;

const BATCH_SIZE = 100;
const SCHEDULE = Symbol('schedule');

/** Workflows: work that is due → `ReleaseDueHandler` → payment and delivery events. Periodic jobs: `periodicJobs`. */
@Module({})
export class WorkflowsModule {
  static forRoot(config: WorkflowsConfig): DynamicModule {
    const file = config.V402_PAYMENT_ACCOUNTS;
    return {
      module: WorkflowsModule,
      providers: [
        {
          provide: PaymentAccounts,
          inject: [Alarms],
          useFactory: (alarms: Alarms) =>
            file === undefined ? new NoPaymentAccounts() : new FilePaymentAccounts(file, alarms),
        },
        {
          provide: ReleaseDueHandler,
          inject: [UnitOfWork, PaymentAccounts, OWNER, Wake, Alarms, FaultPoint],
          useFactory: (
            unitOfWork: UnitOfWork,
            accounts: PaymentAccounts,
            owner: string,
            wake: Wake,
            alarms: Alarms,
            faults: FaultPoint,
          ) => {
            const policy = {
              naming: eventNaming(config),
              accounts,
              leadDays: config.V402_PAYMENT_LEAD_DAYS,
              batchSize: BATCH_SIZE,
              leaseMs: config.V402_LEASE_MS,
              recheckMs: config.V402_RECHECK_MS,
            };
            return new ReleaseDueHandler(unitOfWork, policy, owner, wake, alarms, faults);
          },
        },
        {
          provide: RoleLoop,
          inject: [ReleaseDueHandler, InProcessWake, LOG],
          useFactory: (handler: ReleaseDueHandler, wake: InProcessWake, log: Logger) =>
            new RoleLoop(
              new PollingLoop(
                { topic: 'workflows', pollMs: config.V402_POLL_MS, round: () => handler.handle() },
                wake,
                log,
              ),
            ),
        },
        {
          provide: SCHEDULE,
          inject: [UnitOfWork, Alarms, OWNER, InProcessWake, LOG],
          useFactory: (unitOfWork: UnitOfWork, alarms: Alarms, owner: string, wake: InProcessWake, log: Logger) =>
            scheduleLoop({ config, unitOfWork, alarms }, owner, wake, log),
        },
      ],
    };
  }
}
