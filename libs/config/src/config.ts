import { TerminalError } from '@v402/domain';
import { z } from 'zod';
import { VARIABLES, type VariableName } from './variables.js';

const COMMON = [
  'V402_INSTANCE_ID',
  'V402_PROCESS_NAME',
  'V402_LOG_LEVEL',
  'V402_DATABASE_URL',
  'V402_DATABASE_CONNECTIONS',
  'V402_POLL_MS',
  'V402_HTTP_HOST',
  'V402_HTTP_PORT',
  'V402_HTTP_TOKEN',
  'V402_UNREADY_AFTER_MS',
  'V402_DRAIN_MS',
] as const;
const KAFKA = [
  'V402_KAFKA_BROKERS',
  'V402_KAFKA_TLS',
  'V402_KAFKA_SASL',
  'V402_KAFKA_USERNAME',
  'V402_KAFKA_PASSWORD',
  'V402_TOPIC_PREFIX',
] as const;

/** What it takes to reach the order system. */
const ORDER_SYSTEM = ['V402_ORDER_SYSTEM', 'V402_ORDERBOOK_DATABASE_URL'] as const;

/** What each role reads: no role needs a secret that it does not use. */
const ROLE_VARIABLES = {
  intake: [
    ...COMMON,
    ...KAFKA,
    'V402_KAFKA_GROUP',
    'V402_KAFKA_SESSION_MS',
    'V402_HANDLER_ID',
    'V402_PARTIES',
    'V402_TRUST_REGISTRY',
    'V402_KEY_GRACE_SECONDS',
    'V402_REQUIRE_TRANSCRIPT',
    'V402_CONFLICT_POLICY',
    'V402_BACKLOG_LIMIT',
  ],
  orders: [
    ...COMMON,
    'V402_TOPIC_PREFIX',
    ...ORDER_SYSTEM,
    'V402_ORDER_CALL_TIMEOUT_MS',
    'V402_ORDER_MAX_ATTEMPTS',
    'V402_LEASE_MS',
    'V402_RECHECK_MS',
    'V402_DELIVERY_LEAD_DAYS',
  ],
  workflows: [
    ...COMMON,
    // What a scheduled reconciliation compares.
    ...KAFKA,
    ...ORDER_SYSTEM,
    'V402_RECONCILE_EVERY_MINUTES',
    'V402_RECONCILE_HOURS',
    'V402_LEASE_MS',
    'V402_RECHECK_MS',
    'V402_PAYMENT_LEAD_DAYS',
    'V402_PAYMENT_ACCOUNTS',
    'V402_ORDER_CALL_TIMEOUT_MS',
    'V402_DELIVERY_LEAD_DAYS',
    'V402_SWEEP_MS',
    'V402_OVERDUE_MS',
    'V402_ATTENTION_HOURS',
  ],
  relay: [...COMMON, ...KAFKA, 'V402_LEASE_MS'],
} as const satisfies Record<string, readonly VariableName[]>;

/** What it takes to resolve what got stuck. */
const RESOLVING = [
  'V402_OPERATOR_DATABASE_URL',
  'V402_INSTANCE_ID',
  'V402_TOPIC_PREFIX',
  'V402_DELIVERY_LEAD_DAYS',
  'V402_APPROVAL_OVER',
] as const;

/** What the commands of the command line read that work on a deployment. */
const COMMAND_VARIABLES = {
  'v402 migrate': ['V402_OWNER_DATABASE_URL'],
  'v402 show': ['V402_DATABASE_URL'],
  'v402 evidence': ['V402_DATABASE_URL'],
  'v402 evidence --order-system': ['V402_DATABASE_URL', ...ORDER_SYSTEM],
  'v402 overview': ['V402_DATABASE_URL'],
  'v402 quarantine': ['V402_OPERATOR_DATABASE_URL'],
  'v402 quarantine release': RESOLVING,
  'v402 redrive': RESOLVING,
  // Where stored bytes are decided, as intake decides.
  'v402 redrive of a message': [
    'V402_HANDLER_ID',
    'V402_PARTIES',
    'V402_TRUST_REGISTRY',
    'V402_KEY_GRACE_SECONDS',
    'V402_REQUIRE_TRANSCRIPT',
    'V402_CONFLICT_POLICY',
  ],
  'v402 audit': ['V402_OPERATOR_DATABASE_URL'],
  'v402 topics': KAFKA,
  'v402 reconcile': ['V402_DATABASE_URL', ...KAFKA, ...ORDER_SYSTEM],
  'v402 reconcile --last': ['V402_DATABASE_URL'],
} as const satisfies Record<string, readonly VariableName[]>;

export const READER_VARIABLES = { ...ROLE_VARIABLES, ...COMMAND_VARIABLES } as const;
/** Whoever reads configuration: a role, or a command by its name. */
type Reader = keyof typeof READER_VARIABLES;

export type Role = keyof typeof ROLE_VARIABLES;
export const ROLES = Object.keys(ROLE_VARIABLES) as readonly Role[];

type ValueOf<N extends VariableName> = z.output<(typeof VARIABLES)[N]['schema']>;

/** The checked values of the variables that these roles or commands read. */
export type ConfigOf<R extends Reader> = {
  readonly [N in (typeof READER_VARIABLES)[R][number]]: ValueOf<N>;
};
export type RoleConfig<R extends Role> = ConfigOf<R>;

/**
 * Reads the variables that the given roles or commands need.
 *
 * @throws TerminalError `config_invalid`, whose message has one line per variable that is missing or wrong, and no value
 */
export function loadConfig<R extends Reader>(env: NodeJS.ProcessEnv, readers: readonly R[]): ConfigOf<R> {
  const names = [...new Set(readers.flatMap((reader): readonly VariableName[] => READER_VARIABLES[reader]))];
  const schema = z.object(Object.fromEntries(names.map((name) => [name, VARIABLES[name].schema])));
  const given = Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
  const result = schema.safeParse(given);
  const ownProblems = result.success ? [] : issuesOf(result.error);
  const problems = [...ownProblems, ...togetherProblems(given)];
  if (!result.success || problems.length > 0) throw invalid(problems);
  return result.data as ConfigOf<R>;
}

function issuesOf(error: z.ZodError): readonly string[] {
  return error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

/** What no variable shows alone. */
function togetherProblems(given: Readonly<Record<string, string | undefined>>): readonly string[] {
  const problems: string[] = [];
  const { V402_KAFKA_SASL: sasl, V402_KAFKA_USERNAME: username, V402_KAFKA_PASSWORD: password } = given;
  if (sasl !== undefined && username === undefined)
    problems.push('V402_KAFKA_USERNAME: is required with V402_KAFKA_SASL');
  if (sasl !== undefined && password === undefined)
    problems.push('V402_KAFKA_PASSWORD: is required with V402_KAFKA_SASL');
  if (given['V402_HTTP_PORT'] !== undefined && given['V402_HTTP_TOKEN'] === undefined && !isLoopback(given)) {
    problems.push('V402_HTTP_TOKEN: is required where V402_HTTP_HOST is no loopback address');
  }
  return problems;
}

/** Metrics and details are told without a token to this machine alone. */
function isLoopback({ V402_HTTP_HOST: host }: Readonly<Record<string, string | undefined>>): boolean {
  return host === undefined || host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function invalid(problems: readonly string[]): TerminalError {
  const lines = [...problems].sort().map((problem) => `  ${problem}`);
  return new TerminalError('config_invalid', `The configuration has ${lines.length} problem(s):\n${lines.join('\n')}`);
}
