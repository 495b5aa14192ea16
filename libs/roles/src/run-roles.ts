import { Module, ShutdownSignal, type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { NoFaults, type FaultPoint, type OrderSystem } from '@v402/application';
import { loadConfig, type Role } from '@v402/config';
import { TerminalError } from '@v402/domain';
import { createLog, nestLog, type Logger } from '@v402/observability';
import { CoreModule } from './core/core.module.js';
import { contractsTransport, IntakeModule } from './intake/intake.module.js';
import { OrdersModule } from './orders/orders.module.js';
import { RelayModule } from './relay/relay.module.js';
import { WorkflowsModule } from './workflows/workflows.module.js';

/** Exit status for a configuration that has to be changed first (sysexits.h, EX_CONFIG). */
const EXIT_CONFIG = 78;

const MIN_NODE_MAJOR = 24;

const SIGNALS = [ShutdownSignal.SIGTERM, ShutdownSignal.SIGINT];
/** A process that ended its work when it was asked to has succeeded: exit status 0, not death by the signal. */
const CLEAN_EXIT = { useProcessExit: true };

export interface RunOptions {
  readonly env: NodeJS.ProcessEnv;
  /** For tests that break things. */
  readonly faults?: FaultPoint;
  /** Takes the place of the configured one. */
  readonly orderSystem?: OrderSystem;
}

/**
 * Runs roles in this process until SIGTERM or SIGINT; then it finishes what is under way and ends. A database or broker
 * that is away is waited for. A configuration that cannot work ends the process with status 78 and says everything that
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
  const imports = [
    CoreModule.forRoot({ config, log, faults }),
    ...roles.map((role) => roleModule(role, { env, log, orderSystem })),
  ];
  const module: DynamicModule = { module: RolesModule, imports };
  const app = await createApplication(module, roles, env, log);
  log.info('The roles run.');
  return app;
}

/** The roles that one process runs, over one core. */
@Module({})
class RolesModule {}

interface RoleOptions extends Pick<RunOptions, 'env'> {
  readonly log: Logger;
  readonly orderSystem: OrderSystem | undefined;
}

function roleModule(role: Role, { env, log, orderSystem }: RoleOptions): DynamicModule {
  switch (role) {
    case 'intake':
      return IntakeModule.forRoot(loadConfig(env, [role]), log);
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
  roles: readonly Role[],
  env: NodeJS.ProcessEnv,
  log: Logger,
): Promise<INestApplicationContext> {
  const options = { logger: nestLog(log), abortOnError: false };
  if (!roles.includes('intake')) {
    const app = await NestFactory.createApplicationContext(module, options);
    return app.enableShutdownHooks(SIGNALS, CLEAN_EXIT);
  }
  const strategy = contractsTransport(loadConfig(env, ['intake']), log);
  const app = await NestFactory.createMicroservice(module, { ...options, strategy });
  app.enableShutdownHooks(SIGNALS, CLEAN_EXIT);
  await app.listen();
  return app;
}
