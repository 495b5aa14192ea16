import { Module, type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { NoFaults, type FaultPoint, type OrderSystem } from '@v402/application';
import { loadConfig, type Role } from '@v402/config';
import { TerminalError } from '@v402/domain';
import type { KafkaBatchStrategy } from '@v402/messaging';
import { createLog, nestLog, type Logger } from '@v402/observability';
import { CoreModule } from './core/core.module.js';
import { endOnSignals } from './core/end-on-signals.js';
import { Operations } from './core/operations.js';
import { contractsTransport, IntakeModule } from './intake/intake.module.js';
import { OrdersModule } from './orders/orders.module.js';
import { RelayModule } from './relay/relay.module.js';
import { WorkflowsModule } from './workflows/workflows.module.js';

/** Exit status for a configuration that has to be changed first (sysexits.h, EX_CONFIG). */
const EXIT_CONFIG = 78;

const MIN_NODE_MAJOR = 24;

export interface RunOptions {
  readonly env: NodeJS.ProcessEnv;
  /** For tests that break things. */
  readonly faults?: FaultPoint;
  /** Takes the place of the configured one. */
  readonly orderSystem?: OrderSystem;
}

/**
 * Runs roles in this process until SIGTERM or SIGINT; then it finishes what is under way and ends with status 0, or with 75
 * where that takes longer than it may. A database or broker that is away is waited for. A configuration that cannot work ends the process with status 78 and says everything that
 * is wrong with it.
 */
export async function runRoles(roles: readonly Role[], { env }: RunOptions = { env: process.env }): Promise<void> {
  try {
    requireNode();
    await startRoles(roles, { env });
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    process.stderr.write(`${error.code}: ${error.message}\n`);
    process.exitCode = EXIT_CONFIG;
  }
}

/** @throws TerminalError `node_too_old` */
function requireNode(): void {
  const { node } = process.versions;
  if (Number.parseInt(node, 10) >= MIN_NODE_MAJOR) return;
  const message = `The services need Node.js ${MIN_NODE_MAJOR} or newer, and this is ${node}. From a checkout, npx v402 run brings its own.`;
  throw new TerminalError('node_too_old', message);
}

/**
 * Starts roles in this process. `close()` of the application stops them.
 * @throws TerminalError for a configuration that cannot work
 */
export async function startRoles(
  roles: readonly Role[],
  { env, faults = new NoFaults(), orderSystem }: RunOptions,
): Promise<INestApplicationContext> {
  const config = loadConfig(env, roles);
  const log = createLog(config.V402_LOG_LEVEL, { instance: config.V402_INSTANCE_ID, roles: roles.join(',') });
  const operations = await Operations.open(config, log);
  try {
    const strategy = roles.includes('intake') ? contractsTransport(loadConfig(env, ['intake']), log) : undefined;
    const imports = [
      CoreModule.forRoot({ config, log, faults, operations }),
      ...roles.map((role) => roleModule(role, { env, log, orderSystem, strategy })),
    ];
    const app = await createApplication({ module: RolesModule, imports }, log, strategy);
    endOnSignals(app, { log, operations, drainMs: config.V402_DRAIN_MS });
    operations.health.started();
    log.info('The roles run.');
    return app;
  } catch (error) {
    await operations.close();
    throw error;
  }
}

/** The roles that one process runs, over one core. */
@Module({})
class RolesModule {}

interface RoleOptions extends Pick<RunOptions, 'env'> {
  readonly log: Logger;
  readonly orderSystem: OrderSystem | undefined;
  readonly strategy: KafkaBatchStrategy | undefined;
}

function roleModule(role: Role, { env, log, orderSystem, strategy }: RoleOptions): DynamicModule {
  switch (role) {
    case 'intake':
      if (strategy === undefined) throw new TerminalError('transport_missing', 'Intake has a transport.');
      return IntakeModule.forRoot(loadConfig(env, [role]), log, strategy);
    case 'orders':
      return OrdersModule.forRoot(loadConfig(env, [role]), orderSystem);
    case 'workflows':
      return WorkflowsModule.forRoot(loadConfig(env, [role]));
    case 'relay':
      return RelayModule.forRoot(loadConfig(env, [role]));
  }
}

/** Only intake listens to Kafka; a process without it is no microservice. */
async function createApplication(
  module: DynamicModule,
  log: Logger,
  strategy: KafkaBatchStrategy | undefined,
): Promise<INestApplicationContext> {
  const options = { logger: nestLog(log), abortOnError: false };
  if (strategy === undefined) return NestFactory.createApplicationContext(module, options);
  const app = await NestFactory.createMicroservice(module, { ...options, strategy });
  await app.listen();
  return app;
}
