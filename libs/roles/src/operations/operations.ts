import {
  AcceptContractsHandler,
  NoFaults,
  ResolveQuarantineHandler,
  type Alarms,
  type EventNaming,
  type FaultPoint,
  type UnitOfWork,
  type Wake,
} from '@v402/application';
import { loadConfig } from '@v402/config';
import type { SignatureVerifier } from '@v402/contract';
import { PgUnitOfWork } from '@v402/persistence';
import { TrustedSignatureVerifier } from '@v402/signatures';
import { RandomIds } from '../core/core.module.js';
import { eventNaming } from '../core/naming.js';
import { intakePolicy } from '../intake/intake.module.js';
import { readTrustRegistry } from '../intake/trust.js';

/** The services look for work by themselves. */
const NO_WAKE: Wake = { hint: () => undefined };
/** Whoever acts is told by the answer. */
const NO_ALARMS: Alarms = { raise: () => undefined };

/** The operators' use cases over the database role of operators. `close` it when done. */
interface Operations {
  readonly handler: ResolveQuarantineHandler;
  /** For reading what waits for a person. */
  readonly unitOfWork: UnitOfWork;
  readonly close: () => Promise<void>;
}

/**
 * @param faults for tests that break things
 * @throws TerminalError `config_invalid`
 */
export function openOperations(env: NodeJS.ProcessEnv, faults: FaultPoint = new NoFaults()): Operations {
  const config = loadConfig(env, ['v402 quarantine release']);
  const url = config.V402_OPERATOR_DATABASE_URL;
  const unitOfWork = new PgUnitOfWork({ url, applicationName: 'v402 operator', maxConnections: 1 });
  const naming = eventNaming(config);
  const handler = new ResolveQuarantineHandler(unitOfWork, {
    naming,
    deliveryLead: { days: config.V402_DELIVERY_LEAD_DAYS },
    approvalOver: config.V402_APPROVAL_OVER ?? {},
    ids: new RandomIds(),
    faults,
    intake: () => intakeOf(env, { unitOfWork, naming, faults }),
  });
  return { handler, unitOfWork, close: () => unitOfWork.close() };
}

/** Intake as its role is configured: what it would not accept, no operator can. */
function intakeOf(
  env: NodeJS.ProcessEnv,
  {
    unitOfWork,
    naming,
    faults,
  }: { readonly unitOfWork: UnitOfWork; readonly naming: EventNaming; readonly faults: FaultPoint },
): AcceptContractsHandler {
  const config = loadConfig(env, ['v402 redrive of a message']);
  const registry = readTrustRegistry(config.V402_TRUST_REGISTRY);
  const verifier = new TrustedSignatureVerifier(registry, config.V402_KEY_GRACE_SECONDS);
  const policy = intakePolicy(config);
  const inUse = (): SignatureVerifier => verifier;
  return new AcceptContractsHandler(unitOfWork, inUse, policy, naming, new RandomIds(), NO_WAKE, NO_ALARMS, faults);
}
