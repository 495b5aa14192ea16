import type { OrderSystem } from '@v402/application';
import type { OrderSystemConfig } from '@v402/roles';

/** Opens the configured order system for one command. */
export async function withOrderSystem<T>(
  config: OrderSystemConfig,
  use: (system: OrderSystem) => Promise<T>,
): Promise<T> {
  await import('reflect-metadata');
  const { openOrderSystem } = await import('@v402/roles');
  const life = openOrderSystem(config);
  try {
    return await use(life.system);
  } finally {
    await life.onApplicationShutdown();
  }
}
