import { Module, type DynamicModule } from '@nestjs/common';
import { Alarms, FaultPoint, PaymentAccounts, ReleaseDueHandler, UnitOfWork, Wake } from '@v402/application';
import type { RoleConfig } from '@v402/config';
import { Loops } from '../core/loops.js';
import { eventNaming } from '../core/naming.js';
import { Operations } from '../core/operations.js';
import { RoleLoop } from '../core/role-loop.js';
import { OWNER } from '../core/tokens.js';
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
          inject: [ReleaseDueHandler, Loops],
          useFactory: (handler: ReleaseDueHandler, loops: Loops) => {
            const round = (): Promise<number> => handler.handle();
            return loops.of(
              { topic: 'workflows', pollMs: config.V402_POLL_MS, round },
              { roundLimitMs: config.V402_LEASE_MS },
            );
          },
        },
        {
          provide: SCHEDULE,
          inject: [UnitOfWork, Wake, Alarms, Operations, OWNER, Loops],
          useFactory: (
            unitOfWork: UnitOfWork,
            wake: Wake,
            alarms: Alarms,
            { metrics }: Operations,
            owner: string,
            loops: Loops,
          ) => scheduleLoop({ config, unitOfWork, wake, alarms, metrics }, owner, loops),
        },
      ],
    };
  }
}
