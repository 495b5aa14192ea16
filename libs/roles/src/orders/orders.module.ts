import { Module, type DynamicModule } from '@nestjs/common';
import {
  Alarms,
  FaultPoint,
  Ids,
  OrderSystem,
  PlaceOrdersHandler,
  UnitOfWork,
  Wake,
  type OrderTiming,
} from '@v402/application';
import type { RoleConfig } from '@v402/config';
import { ObservedOrderSystem } from '@v402/observability';
import { Loops } from '../core/loops.js';
import { eventNaming } from '../core/naming.js';
import { Operations } from '../core/operations.js';
import { RoleLoop } from '../core/role-loop.js';
import { OWNER } from '../core/tokens.js';
import { openOrderSystem, OrderSystemLife } from './order-system.provider.js';

type OrdersConfig = RoleConfig<'orders'>;

/** Their places are the values of the metric. */
const CIRCUIT_STATES: readonly PlaceOrdersHandler['circuit'][] = ['closed', 'half_open', 'open'];

/** Orders: work that is due → `PlaceOrdersHandler` → the configured order system. */
@Module({})
export class OrdersModule {
  static forRoot(config: OrdersConfig, orderSystem?: OrderSystem): DynamicModule {
    return {
      module: OrdersModule,
      providers: [
        { provide: OrderSystemLife, useFactory: () => openOrderSystem(config, orderSystem) },
        {
          provide: OrderSystem,
          inject: [OrderSystemLife, Operations],
          useFactory: ({ system }: OrderSystemLife, { metrics }: Operations) =>
            new ObservedOrderSystem(system, metrics),
        },
        {
          provide: PlaceOrdersHandler,
          inject: [UnitOfWork, OrderSystem, Ids, OWNER, Wake, Alarms, FaultPoint],
          useFactory: (
            unitOfWork: UnitOfWork,
            system: OrderSystem,
            ids: Ids,
            owner: string,
            wake: Wake,
            alarms: Alarms,
            faults: FaultPoint,
          ) => {
            const context = {
              naming: eventNaming(config),
              ids,
              timing: orderTiming(config),
              deliveryLead: { days: config.V402_DELIVERY_LEAD_DAYS },
              orderSystem: { name: system.name, serverTimeoutMs: system.capabilities.serverTimeoutMs },
            };
            const clock = { nowMs: () => performance.now() };
            return new PlaceOrdersHandler(unitOfWork, system, context, clock, owner, wake, alarms, faults);
          },
        },
        {
          provide: RoleLoop,
          inject: [PlaceOrdersHandler, Loops, Operations],
          useFactory: (handler: PlaceOrdersHandler, loops: Loops, { metrics }: Operations) => {
            metrics.onCollect(() => {
              metrics.set('v402_order_circuit_state', {}, CIRCUIT_STATES.indexOf(handler.circuit));
            });
            const round = (): Promise<number> => handler.begin();
            return loops.of(
              { topic: 'orders', pollMs: config.V402_POLL_MS, round, onStop: () => handler.end() },
              { roundLimitMs: config.V402_LEASE_MS + config.V402_ORDER_CALL_TIMEOUT_MS },
            );
          },
        },
      ],
    };
  }
}

/** No call begins in the last fifth of its lease. */
function orderTiming(config: OrdersConfig): OrderTiming {
  const leaseMs = config.V402_LEASE_MS;
  return {
    leaseMs,
    leaseMarginMs: leaseMs / 5,
    callTimeoutMs: config.V402_ORDER_CALL_TIMEOUT_MS,
    lookUpMarginMs: 500,
    holdRecheckMs: config.V402_RECHECK_MS,
    backoff: { firstMs: 500, maxMs: 60_000 },
    maxAttempts: config.V402_ORDER_MAX_ATTEMPTS,
    maxLookUps: 20,
    circuit: { failures: 5, open: { firstMs: 1_000, maxMs: 30_000 } },
  };
}
