import { readFileSync } from 'node:fs';
import { TerminalError } from '@v402/domain';
import { loadConfig, READER_VARIABLES, ROLES } from './config.js';
import { envExample } from './env-example.js';
import { VARIABLES, type VariableName } from './variables.js';

const NAMES = Object.keys(VARIABLES) as VariableName[];

/** Every variable, each with the value that documents it. */
const EXAMPLES: Record<string, string> = Object.fromEntries(
  NAMES.map((name) => [name, VARIABLES[name].documentation.example]),
);
const withExamples = (overrides: Record<string, string | undefined> = {}): NodeJS.ProcessEnv => ({
  ...EXAMPLES,
  V402_KAFKA_PASSWORD: 'kafka-secret',
  V402_HTTP_TOKEN: 'http-secret-of-some-length',
  ...overrides,
});

/** The lines of the problems, without their indentation. */
const problemsOf = (load: () => unknown): string[] => {
  try {
    load();
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    expect(error.code).toBe('config_invalid');
    const [, ...lines] = error.message.split('\n');
    expect(error.message).toContain(`${lines.length} problem(s)`);
    return lines.map((line) => line.trim());
  }
  throw new Error('The configuration was accepted.');
};

describe('values', () => {
  test('default: what is required is enough, the rest has its default', () => {
    const config = loadConfig(
      {
        V402_INSTANCE_ID: 'acme',
        V402_PARTIES: 'did:web:acme.example, did:web:other.example',
        V402_TRUST_REGISTRY: 'registry.json',
        V402_KAFKA_BROKERS: 'one:9092,two:9092',
        V402_DATABASE_URL: 'postgresql://app:secret@localhost/v402',
        V402_ORDERBOOK_DATABASE_URL: 'postgres://book:secret@localhost/v402',
      },
      ROLES,
    );
    expect(config).toEqual({
      V402_INSTANCE_ID: 'acme',
      V402_PARTIES: ['did:web:acme.example', 'did:web:other.example'],
      V402_TRUST_REGISTRY: 'registry.json',
      V402_KEY_GRACE_SECONDS: 86_400,
      V402_REQUIRE_TRANSCRIPT: false,
      V402_CONFLICT_POLICY: 'hold',
      V402_KAFKA_BROKERS: ['one:9092', 'two:9092'],
      V402_KAFKA_TLS: false,
      V402_KAFKA_GROUP: 'v402-intake',
      V402_KAFKA_SESSION_MS: 6_000,
      V402_TOPIC_PREFIX: '',
      V402_DATABASE_URL: 'postgresql://app:secret@localhost/v402',
      V402_DATABASE_CONNECTIONS: 10,
      V402_ORDER_SYSTEM: 'embedded',
      V402_ORDERBOOK_DATABASE_URL: 'postgres://book:secret@localhost/v402',
      V402_ORDER_CALL_TIMEOUT_MS: 2_000,
      V402_ORDER_MAX_ATTEMPTS: 20,
      V402_LEASE_MS: 3_000,
      V402_RECHECK_MS: 30_000,
      V402_RECONCILE_EVERY_MINUTES: 60,
      V402_RECONCILE_HOURS: 24,
      V402_DELIVERY_LEAD_DAYS: 14,
      V402_PAYMENT_LEAD_DAYS: { x402: 0, sepa: 1, ach: 2, invoice: 0, card: 0, escrow: 0, external: 0 },
      V402_POLL_MS: 250,
      V402_BACKLOG_LIMIT: 100_000,
      V402_SWEEP_MS: 60_000,
      V402_OVERDUE_MS: 300_000,
      V402_ATTENTION_HOURS: 24,
      V402_HTTP_HOST: '127.0.0.1',
      V402_UNREADY_AFTER_MS: 15_000,
      V402_DRAIN_MS: 25_000,
      V402_LOG_LEVEL: 'info',
    });
  });

  test('behavior: every documented example is valid', () => {
    expect(() => loadConfig(withExamples(), ROLES)).not.toThrow();
  });

  test('behavior: a value that is set but empty is absent', () => {
    expect(loadConfig(withExamples({ V402_POLL_MS: '', V402_HANDLER_ID: '' }), ROLES)).toMatchObject({
      V402_POLL_MS: 250,
    });
    expect(problemsOf(() => loadConfig(withExamples({ V402_INSTANCE_ID: '' }), ROLES))).toEqual([
      'V402_INSTANCE_ID: is required',
    ]);
  });

  test.each([
    ['V402_INSTANCE_ID', 'with space'],
    ['V402_INSTANCE_ID', 'x'.repeat(65)],
    ['V402_PROCESS_NAME', 'with space'],
    ['V402_KAFKA_SESSION_MS', '999'],
    ['V402_PARTIES', 'did:web:a.example,,did:web:b.example'],
    ['V402_KEY_GRACE_SECONDS', '-1'],
    ['V402_KEY_GRACE_SECONDS', '1e3'],
    ['V402_REQUIRE_TRANSCRIPT', 'true'],
    ['V402_CONFLICT_POLICY', 'ignore'],
    ['V402_KAFKA_TLS', '1'],
    ['V402_KAFKA_SASL', 'gssapi'],
    ['V402_TOPIC_PREFIX', 'a/b'],
    ['V402_DATABASE_URL', 'mysql://app@localhost/v402'],
    ['V402_DATABASE_CONNECTIONS', '1'],
    ['V402_ORDER_MAX_ATTEMPTS', '0'],
    ['V402_LEASE_MS', '999'],
    ['V402_LEASE_MS', '600001'],
    ['V402_PAYMENT_LEAD_DAYS', 'sepa=1,wire=2'],
    ['V402_PAYMENT_LEAD_DAYS', 'sepa'],
    ['V402_POLL_MS', '9'],
    ['V402_BACKLOG_LIMIT', '99'],
    ['V402_SWEEP_MS', '999'],
    ['V402_OVERDUE_MS', '999'],
    ['V402_ATTENTION_HOURS', '0'],
    ['V402_HTTP_PORT', '65536'],
    ['V402_HTTP_HOST', 'http://127.0.0.1'],
    ['V402_HTTP_TOKEN', 'too-short'],
    ['V402_DRAIN_MS', '99'],
    ['V402_LOG_LEVEL', 'loud'],
  ])('error: %s=%s', (name, value) => {
    const problems = problemsOf(() => loadConfig(withExamples({ [name]: value }), ROLES));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name}: `));
  });
});

describe('problems', () => {
  test('behavior: all are told at once, by the names of their variables, in order', () => {
    const problems = problemsOf(() => loadConfig({ V402_LEASE_MS: 'soon', V402_LOG_LEVEL: 'loud' }, ROLES));
    expect(problems.map((problem) => problem.slice(0, problem.indexOf(':')))).toEqual([
      'V402_DATABASE_URL',
      'V402_INSTANCE_ID',
      'V402_KAFKA_BROKERS',
      'V402_LEASE_MS',
      'V402_LOG_LEVEL',
      'V402_ORDERBOOK_DATABASE_URL',
      'V402_PARTIES',
      'V402_TRUST_REGISTRY',
    ]);
  });

  test('behavior: what only shows together is told with the rest', () => {
    const env = withExamples({ V402_KAFKA_USERNAME: undefined, V402_KAFKA_PASSWORD: undefined, V402_LEASE_MS: 'soon' });
    expect(problemsOf(() => loadConfig(env, ROLES))).toEqual([
      'V402_KAFKA_PASSWORD: is required with V402_KAFKA_SASL',
      'V402_KAFKA_USERNAME: is required with V402_KAFKA_SASL',
      'V402_LEASE_MS: must be a whole number',
    ]);
  });

  test('behavior: metrics are not served to other machines without a token', () => {
    const problems = (host: string, token?: string): string[] => {
      const env = withExamples({ V402_HTTP_HOST: host, V402_HTTP_TOKEN: token });
      try {
        loadConfig(env, ROLES);
        return [];
      } catch {
        return problemsOf(() => loadConfig(env, ROLES));
      }
    };
    const refused = ['V402_HTTP_TOKEN: is required where V402_HTTP_HOST is no loopback address'];
    for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) expect(problems(host)).toEqual([]);
    for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example', 'host'])
      expect(problems(host)).toEqual(refused);
    expect(problems('0.0.0.0', 'sixteen-characters')).toEqual([]);
  });

  test.each(NAMES)('behavior: the value of %s is never told', (name) => {
    const env = Object.fromEntries(NAMES.map((each) => [each, `\u0000 hush ${each.toLowerCase()} hush`]));
    const text = problemsOf(() => loadConfig({ ...env, [name]: '\u0000 hush' }, ROLES)).join('\n');
    expect(text).not.toContain('hush');
  });
});

describe('roles', () => {
  test.each(ROLES)('%s needs and sees only its own variables', (role) => {
    const own: readonly string[] = READER_VARIABLES[role];
    const env = withExamples();
    const onlyOwn = Object.fromEntries(Object.entries(env).filter(([name]) => own.includes(name)));
    const config = loadConfig(env, [role]);
    expect(Object.keys(config).sort()).toEqual([...own].sort());
    expect(loadConfig(onlyOwn, [role])).toEqual(config);
    const broken = Object.fromEntries(NAMES.filter((name) => !own.includes(name)).map((name) => [name, '\u0000']));
    expect(loadConfig({ ...onlyOwn, ...broken }, [role])).toEqual(config);
  });

  test('no role gets a secret that it does not use', () => {
    const secrets = NAMES.filter((name) => 'secret' in VARIABLES[name].documentation);
    const readBy = (role: (typeof ROLES)[number]): string[] => {
      const own: readonly string[] = READER_VARIABLES[role];
      return secrets.filter((name) => own.includes(name));
    };
    expect(Object.fromEntries(ROLES.map((role) => [role, readBy(role)]))).toEqual({
      intake: ['V402_KAFKA_PASSWORD', 'V402_DATABASE_URL', 'V402_HTTP_TOKEN'],
      orders: ['V402_DATABASE_URL', 'V402_ORDERBOOK_DATABASE_URL', 'V402_HTTP_TOKEN'],
      // For the scheduled reconciliation.
      workflows: ['V402_KAFKA_PASSWORD', 'V402_DATABASE_URL', 'V402_ORDERBOOK_DATABASE_URL', 'V402_HTTP_TOKEN'],
      relay: ['V402_KAFKA_PASSWORD', 'V402_DATABASE_URL', 'V402_HTTP_TOKEN'],
    });
  });

  test('every variable is read by somebody', () => {
    const read = new Set<string>(Object.values(READER_VARIABLES).flat());
    expect(NAMES.filter((name) => !read.has(name))).toEqual([]);
  });
});

describe('.env.example', () => {
  const file = readFileSync(new URL('../../../.env.example', import.meta.url), 'utf8');

  test('is what `npm run docs:config` writes', () => {
    expect(file).toBe(envExample());
  });

  test('sets what is required, and nothing else', () => {
    const set = file.split('\n').flatMap((line) => /^(V402_\w+)=/.exec(line)?.[1] ?? []);
    expect(set).toEqual(NAMES.filter((name) => !VARIABLES[name].schema.safeParse(undefined).success));
    for (const name of NAMES) expect(file).toContain(`${name}=`);
  });
});

describe('amounts that take a second person', () => {
  const approvalOver = (text: string): unknown =>
    loadConfig(withExamples({ V402_APPROVAL_OVER: text }), ['v402 redrive']).V402_APPROVAL_OVER;

  test('default: by currency, as exact texts; none unless told', () => {
    expect(approvalOver('EUR=10000, USD=0.5,*=0')).toEqual({ EUR: '10000', USD: '0.5', '*': '0' });
    expect(approvalOver('')).toBeUndefined();
  });

  test.each(['EUR', 'EUR=', 'EUR=-1', 'EUR=1e3', 'EUR=010', 'eur=1', 'EUR=1,EUR=2', 'EUR=1,', '=1'])(
    'error: %s',
    (text) => {
      expect(problemsOf(() => approvalOver(text))).toEqual([
        'V402_APPROVAL_OVER: must be <currency>=<amount>, each currency once, * for all others',
      ]);
    },
  );
});
