import type { OnApplicationShutdown } from '@nestjs/common';
import type { OrderSystem } from '@v402/application';
import type { RoleConfig } from '@v402/config';
import { EmbeddedOrderSystem } from '@v402/order-systems';

/** An order system together with what has to be closed when the role ends. */
export class OrderSystemLife implements OnApplicationShutdown {
  constructor(
    readonly system: OrderSystem,
    private readonly close: () => Promise<void>,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await this.close();
  }
}

/** What it takes to reach the order system. */
export type OrderSystemConfig = Pick<RoleConfig<'orders'>, 'V402_ORDER_SYSTEM' | 'V402_ORDERBOOK_DATABASE_URL'>;

/** One line per order system that can be configured. */
const ORDER_SYSTEMS: Readonly<
  Record<OrderSystemConfig['V402_ORDER_SYSTEM'], (config: OrderSystemConfig) => OrderSystemLife>
> = {
  embedded: (config) => lifeOf(new EmbeddedOrderSystem({ url: config.V402_ORDERBOOK_DATABASE_URL })),
};

/** @param given an order system that somebody else opened and closes */
export function openOrderSystem(config: OrderSystemConfig, given?: OrderSystem): OrderSystemLife {
  if (given !== undefined) return new OrderSystemLife(given, () => Promise.resolve());
  return ORDER_SYSTEMS[config.V402_ORDER_SYSTEM](config);
}

function lifeOf(system: OrderSystem & { close(): Promise<void> }): OrderSystemLife {
  return new OrderSystemLife(system, () => system.close());
}
