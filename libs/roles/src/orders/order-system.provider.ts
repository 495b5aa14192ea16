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

/** One line per order system that can be configured. */
export function openOrderSystem(config: RoleConfig<'orders'>): OrderSystemLife {
  switch (config.V402_ORDER_SYSTEM) {
    case 'embedded': {
      const system = new EmbeddedOrderSystem({ url: config.V402_ORDERBOOK_DATABASE_URL });
      return new OrderSystemLife(system, () => system.close());
    }
  }
}
