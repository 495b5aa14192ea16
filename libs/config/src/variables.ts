import { RAILS, type Rail } from '@v402/domain';
import { z } from 'zod';

const wholeNumber = (min: number, max: number): z.ZodType<number, string> =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be between ${min} and ${max}`);

const list = z.string().transform((text) => text.split(',').map((item) => item.trim()));
const nonEmptyList = list.refine((items) => items.every((item) => item !== ''), 'must be a comma-separated list');

const postgresUrl = z.string().regex(/^postgres(ql)?:\/\/\S+$/, 'must be a postgresql:// URL');

const yesOrNo = z.enum(['yes', 'no']).transform((answer) => answer === 'yes');

/** `sepa=1,ach=2`: days before the due date on which a rail has to be told; rails left out: 0. */
const leadDays = z.string().transform((text, context): Readonly<Record<Rail, number>> => {
  const days = Object.fromEntries(RAILS.map((rail) => [rail, 0])) as Record<Rail, number>;
  for (const entry of text === '' ? [] : text.split(',')) {
    const [, rail, count] = /^\s*([a-z0-9]+)=(\d{1,3})\s*$/.exec(entry) ?? [];
    const known = RAILS.find((each) => each === rail);
    if (known === undefined) {
      context.addIssue({ code: 'custom', message: `must be <rail>=<days>, rails: ${RAILS.join(', ')}` });
      return z.NEVER;
    }
    days[known] = Number(count);
  }
  return days;
});

/** `EUR=10000,*=0`: amounts by currency, `*` for all others. */
const amounts = z.string().transform((text, context): Readonly<Record<string, string>> => {
  const entries = text
    .split(',')
    .map((entry) => /^\s*([A-Z]{3}|\*)=((?:0|[1-9]\d{0,17})(?:\.\d{1,9})?)\s*$/.exec(entry));
  const known = entries.flatMap((match) => (match === null ? [] : [[match[1] ?? '', match[2] ?? ''] as const]));
  if (known.length < entries.length || new Set(known.map(([currency]) => currency)).size < known.length) {
    context.addIssue({ code: 'custom', message: 'must be <currency>=<amount>, each currency once, * for all others' });
    return z.NEVER;
  }
  return Object.fromEntries(known);
});

interface Documentation {
  readonly description: string;
  /** Shown in `.env.example`. */
  readonly example: string;
  /** Never shown, never logged. */
  readonly secret?: true;
}

/** A variable with the words that `.env.example` has for it. */
interface Variable<T> {
  readonly schema: z.ZodType<T, string | undefined>;
  readonly documentation: Documentation;
}

const required = <T>(schema: z.ZodType<T, string>, documentation: Documentation): Variable<T> => ({
  schema: z.string({ error: 'is required' }).pipe(schema),
  documentation,
});

const withDefault = <T>(schema: z.ZodType<T, string>, documentation: Documentation): Variable<T> => ({
  schema: z.string().default(documentation.example).pipe(schema),
  documentation,
});

const optional = <T>(schema: z.ZodType<T, string>, documentation: Documentation): Variable<T | undefined> => ({
  schema: z.string().pipe(schema).optional(),
  documentation,
});

/** Every variable that the services read. A value that is set but empty counts as absent. */
export const VARIABLES = {
  V402_INSTANCE_ID: required(z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 . _ -'), {
    description: 'Names this deployment in its events. Event ids depend on it: never change it.',
    example: 'acme-settlement',
  }),
  V402_PROCESS_NAME: optional(z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 . _ -'), {
    description:
      'Names this process: the same after a restart, another for each process that lives. None: the host name.',
    example: 'intake-0',
  }),
  V402_HANDLER_ID: optional(z.string().min(1).max(512), {
    description:
      'Contracts with an audience are settled only where it equals this id. None: all audiences are refused.',
    example: 'acme-handler',
  }),
  V402_PARTIES: required(nonEmptyList, {
    description:
      'Ids of the parties that this handler serves, or * for all: as seller a sales order, as buyer a purchase order.',
    example: 'did:web:acme.example',
  }),
  V402_TRUST_REGISTRY: required(z.string().min(1), {
    description:
      'File of the trust registry: which party may sign with which key, in which role and when. Read again when it changes.',
    example: 'trust-registry.json',
  }),
  V402_KEY_GRACE_SECONDS: withDefault(wholeNumber(0, 31_622_400), {
    description: 'How long after its end a key is honoured for contracts agreed before its end.',
    example: '86400',
  }),
  V402_REQUIRE_TRANSCRIPT: withDefault(yesOrNo, {
    description: 'Whether a contract without the transcript of its negotiation is refused: yes or no.',
    example: 'no',
  }),
  V402_CONFLICT_POLICY: withDefault(z.enum(['hold', 'continue']), {
    description: 'What a second contract for a negotiation does to what the first has not started: hold or continue.',
    example: 'hold',
  }),
  V402_KAFKA_BROKERS: required(nonEmptyList, {
    description: 'Kafka brokers, host:port, comma-separated.',
    example: '127.0.0.1:9092',
  }),
  V402_KAFKA_TLS: withDefault(yesOrNo, {
    description: 'Whether the brokers are reached over TLS: yes or no.',
    example: 'no',
  }),
  V402_KAFKA_SASL: optional(z.enum(['plain', 'scram-sha-256', 'scram-sha-512']), {
    description: 'SASL mechanism, if the brokers ask for one: plain, scram-sha-256 or scram-sha-512.',
    example: 'scram-sha-512',
  }),
  V402_KAFKA_USERNAME: optional(z.string().min(1), { description: 'SASL user name.', example: 'v402' }),
  V402_KAFKA_PASSWORD: optional(z.string().min(1), {
    description: 'SASL password.',
    example: '',
    secret: true,
  }),
  V402_KAFKA_GROUP: withDefault(z.string().min(1), {
    description: 'Consumer group of intake.',
    example: 'v402-intake',
  }),
  V402_KAFKA_SESSION_MS: withDefault(wholeNumber(1_000, 600_000), {
    description:
      "After this long without a sign of life, a process's partitions go to others: at least what the brokers allow.",
    example: '6000',
  }),
  V402_TOPIC_PREFIX: withDefault(z.string().regex(/^[A-Za-z0-9._-]*$/, 'may hold A-Z a-z 0-9 . _ -'), {
    description: 'Put before the name of every topic, for environments that share a cluster.',
    example: '',
  }),
  V402_DATABASE_URL: required(postgresUrl, {
    description: 'PostgreSQL, as a login role that is a member of v402_app.',
    example: 'postgresql://v402_app_login:password@127.0.0.1:5432/v402',
    secret: true,
  }),
  V402_OWNER_DATABASE_URL: required(postgresUrl, {
    description: 'PostgreSQL, as the role that owns the database: only migrations need it, no service does.',
    example: 'postgresql://v402_owner:password@127.0.0.1:5432/v402',
    secret: true,
  }),
  V402_OPERATOR_DATABASE_URL: required(postgresUrl, {
    description:
      'PostgreSQL, as a login role that is a member of v402_operator: only operators need it, no service does.',
    example: 'postgresql://v402_operator_login:password@127.0.0.1:5432/v402',
    secret: true,
  }),
  V402_APPROVAL_OVER: optional(amounts, {
    description:
      'To let go on what is over these amounts takes a second person; * for other currencies. None: it never does.',
    example: 'EUR=10000,USD=10000,*=0',
  }),
  V402_DATABASE_CONNECTIONS: withDefault(wholeNumber(2, 200), {
    description: 'Connections to PostgreSQL that a process may hold.',
    example: '10',
  }),
  V402_ORDER_SYSTEM: withDefault(z.enum(['embedded']), {
    description: 'The order system: embedded, a small order book in PostgreSQL.',
    example: 'embedded',
  }),
  V402_ORDERBOOK_DATABASE_URL: required(postgresUrl, {
    description: 'PostgreSQL of the embedded order book, as its own role.',
    example: 'postgresql://v402_orderbook_login:password@127.0.0.1:5432/v402',
    secret: true,
  }),
  V402_ORDER_CALL_TIMEOUT_MS: withDefault(wholeNumber(100, 300_000), {
    description:
      'The longest that one call to the order system may take. An order whose caller dies waits for its end.',
    example: '2000',
  }),
  V402_ORDER_MAX_ATTEMPTS: withDefault(wholeNumber(1, 1_000), {
    description:
      'After so many attempts that wrote nothing an order waits for a person. Those while the order system is away do not count.',
    example: '20',
  }),
  V402_LEASE_MS: withDefault(wholeNumber(1_000, 600_000), {
    description:
      'How long claimed work belongs to a process that does not renew it. What dies with it waits this long.',
    example: '3000',
  }),
  V402_RECHECK_MS: withDefault(wholeNumber(100, 3_600_000), {
    description: 'How often work is looked at again that a hold or a missing account stops.',
    example: '30000',
  }),
  V402_DELIVERY_LEAD_DAYS: withDefault(wholeNumber(0, 3_650), {
    description: 'How many days before the start of its window a delivery is asked for.',
    example: '14',
  }),
  V402_PAYMENT_LEAD_DAYS: withDefault(leadDays, {
    description: 'How many days before the due date a payment is asked for, by rail: sepa=1,ach=2.',
    example: 'sepa=1,ach=2',
  }),
  V402_PAYMENT_ACCOUNTS: optional(z.string().min(1), {
    description: 'File of the approved creditor accounts. A bank payment without one stops until it is there.',
    example: 'payment-accounts.json',
  }),
  V402_RECONCILE_EVERY_MINUTES: withDefault(wholeNumber(0, 10_080), {
    description: 'How often messages, settlements, orders and events are compared, over all processes; 0: never.',
    example: '60',
  }),
  V402_RECONCILE_HOURS: withDefault(wholeNumber(1, 8_760), {
    description: 'How far back every such comparison looks at least. What a topic no longer holds cannot be compared.',
    example: '24',
  }),
  V402_POLL_MS: withDefault(wholeNumber(10, 60_000), {
    description: 'How often a role looks for work when nothing has woken it.',
    example: '250',
  }),
  V402_BACKLOG_LIMIT: withDefault(wholeNumber(100, 10_000_000), {
    description:
      'Intake waits while more than this many orders, payments and deliveries are due and not done, or events not published. It slows down from half of it.',
    example: '100000',
  }),
  V402_SWEEP_MS: withDefault(wholeNumber(1_000, 86_400_000), {
    description: 'How often the sweep looks for what got stuck: it adds missing work again and says the rest.',
    example: '60000',
  }),
  V402_OVERDUE_MS: withDefault(wholeNumber(1_000, 86_400_000), {
    description: 'Work that is due, or events that wait, for longer than this raise an alarm.',
    example: '300000',
  }),
  V402_ATTENTION_HOURS: withDefault(wholeNumber(1, 8_760), {
    description: 'Cases that nobody has decided for longer than this raise an alarm.',
    example: '24',
  }),
  V402_HTTP_PORT: optional(wholeNumber(0, 65_535), {
    description:
      'Port of /health/live, /health/ready and /metrics; 0: any free one, which the log says. None: no HTTP. One per process of a machine.',
    example: '9402',
  }),
  V402_HTTP_HOST: withDefault(z.string().regex(/^[A-Za-z0-9.:_-]+$/, 'must be an address or a host name'), {
    description: 'Address that it listens on. Any other than loopback needs V402_HTTP_TOKEN.',
    example: '127.0.0.1',
  }),
  V402_HTTP_TOKEN: optional(z.string().regex(/^[\x21-\x7e]{16,}$/, 'must be at least 16 visible ASCII characters'), {
    description: 'Bearer token for /metrics and for the details of /health/ready. Set, it is asked for everywhere.',
    example: '',
    secret: true,
  }),
  V402_UNREADY_AFTER_MS: withDefault(wholeNumber(100, 3_600_000), {
    description:
      'How long a role may fail, stand still or hear nothing before /health/ready says that it is not ready.',
    example: '15000',
  }),
  V402_DRAIN_MS: withDefault(wholeNumber(100, 3_600_000), {
    description:
      'How long a process may finish what is under way when it is asked to end. Over it: exit status 75, and others take over.',
    example: '25000',
  }),
  V402_LOG_LEVEL: withDefault(z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace']), {
    description: 'The least level that is logged.',
    example: 'info',
  }),
} as const;

export type VariableName = keyof typeof VARIABLES;
