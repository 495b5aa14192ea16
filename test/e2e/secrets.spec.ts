import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { buildContract } from '@v402/contract';
import { startLocalParts, type LocalParts } from '@v402/local-parts';
import pg from 'pg';
import { v402 } from '../support/cli.js';
import { findSecrets, type Secrets } from '../support/secrets.js';
import { SettlementScene } from '../support/settlement-scene.js';
import { SELLER, SIGNERS, testKey, trade } from '../support/trade.js';

const CREDENTIALS = {
  'password of the services': 'Kq7!app-pw/42%+Zürich',
  'password of the order book': 'Wx9?book-pw:17&Ähre',
  'wrong password': 'Vb3#wrong-pw@88 Ölung',
  'SASL password': 'Tn5$sasl-pw=63"quoted"',
  'private key': '5d1e0c7a9b3f4e6d8c2b1a0f9e8d7c6b5a493827160f1e2d3c4b5a6978879fe0',
} satisfies Secrets;

const PRIVATE = {
  'bank account': 'DE77999900001234567890',
  'bank of the account': 'ZQXJDEFF999',
  'name of a person': 'Wilhelmina Qwertzuiopü-Ångström',
  street: 'Zuckerhutgäßchen 4711b',
  'access token in an extension': 'tok_live_9f8e7d6c5b4a39281706',
  'sku of a contract': 'GEHEIMTEIL-0815-XY',
  'garbage that names somebody': 'Ottokar Geheimrat von Posemuckel',
} satisfies Secrets;

const ALL: Secrets = { ...CREDENTIALS, ...PRIVATE };

const APPS = ['intake', 'orders', 'workflows', 'relay'] as const;

const draft = {
  parties: { buyer: { id: 'did:web:buyer.example', name: PRIVATE['name of a person'] } },
  lines: [{ sku: PRIVATE['sku of a contract'], quantity: '10', unitPrice: '5.00' }],
  delivery: {
    incoterm: 'DAP',
    place: PRIVATE.street,
    shipTo: { name: PRIVATE['name of a person'], street: PRIVATE.street, country: 'DE' },
  },
  payment: [{ rail: 'sepa', trigger: 'agreed' }],
  extensions: { 'com.example.token': PRIVATE['access token in an extension'] },
} as const;

/** Each is refused for a reason of its own, or set aside; all hold what nobody may see. */
function refusedValues(): (Uint8Array | null)[] {
  const secret = PRIVATE['garbage that names somebody'];
  const { contract, envelope } = trade({ ...draft, negotiationId: 'tampered' });
  const text = Buffer.from(envelope).toString('utf8');
  return [
    null,
    Buffer.from(secret),
    Buffer.from(JSON.stringify({ [secret]: 1 })),
    Buffer.from(`{"${secret}":1,"${secret}":2}`),
    Buffer.from(text.replace('"quantity":"10"', '"quantity":"11"')),
    Buffer.from(text.replace('"contract":{', `"contract":{"${secret}":"${secret}",`)),
    Buffer.from(JSON.stringify({ contract: { ...contract, agreedAt: secret }, signatures: [] })),
    trade({ ...draft, negotiationId: 'stranger' }, { ...SIGNERS, buyer: testKey('unregistered-eip712') }).envelope,
    Buffer.from(secret.repeat(100_000)),
  ];
}

describe('what is secret, black box: nothing of it in what the services write', () => {
  let parts: LocalParts;
  let scene: SettlementScene;
  /** What commands wrote. */
  const commands: string[] = [];

  const withPassword = (url: string, password: string): string => {
    const changed = new URL(url);
    changed.password = encodeURIComponent(password);
    return changed.href;
  };
  const written = (): string => APPS.map((app) => scene.log(app)).join('\n') + commands.join('\n');
  /** How often it has been said so far. */
  const said = (what: string | RegExp): number => written().split(what).length - 1;
  /** Waits until it has been said once more than `before`. */
  const untilSaid = (what: string | RegExp, before = 0): Promise<void> =>
    scene.until(`it says ${String(what)}`, () => Promise.resolve(said(what) > before));

  beforeAll(async () => {
    parts = await startLocalParts({ embedded: true });
    scene = await SettlementScene.open({
      parts: { brokers: parts.kafka.brokers, adminUrl: parts.postgres.adminUrl },
    });
    for (const [role, password] of [
      ['v402_app_login', CREDENTIALS['password of the services']],
      ['v402_orderbook_login', CREDENTIALS['password of the order book']],
    ] as const) {
      await scene.sql(`ALTER ROLE ${role} PASSWORD ${pg.escapeLiteral(password)}`);
    }
  });

  afterAll(async () => {
    await scene.close();
    await parts.stop();
  });

  const environment = (): Record<string, string> => ({
    V402_LOG_LEVEL: 'trace',
    V402_DATABASE_URL: withPassword(scene.database.appUrl, CREDENTIALS['password of the services']),
    V402_ORDERBOOK_DATABASE_URL: withPassword(scene.database.orderbookUrl, CREDENTIALS['password of the order book']),
    V402_PAYMENT_ACCOUNTS: scene.file(
      'accounts.json',
      JSON.stringify({
        format: 'v402-payment-accounts/1',
        accounts: [
          {
            party: SELLER,
            rail: 'sepa',
            currency: 'EUR',
            account: {
              scheme: 'iban',
              identification: PRIVATE['bank account'],
              agent: PRIVATE['bank of the account'],
            },
          },
        ],
      }),
    ),
  });

  const ends = async (child: ChildProcess): Promise<number | null> => (await once(child, 'exit'))[0] as number | null;

  test('a run of all roles, at the level that says most, with everything going well and everything going wrong', async () => {
    for (const app of APPS) scene.start(app, environment());

    await scene.send([trade({ ...draft, negotiationId: 'good' }).envelope]);
    await scene.until('both orders', async () => (await scene.count('orderbook.order_head')) === 2);
    await scene.settled();
    const asked = (await scene.events('payments')).filter(({ type }) => type.includes('payment.requested'));
    // The account does go where it has to.
    expect(JSON.stringify(asked.map(({ data }) => data))).toContain(PRIVATE['bank account']);

    const refused = refusedValues();
    await scene.send(refused);
    await scene.until(
      'all refused',
      async () =>
        (await scene.sql<{ n: number }>('SELECT sum(occurrences)::int AS n FROM v402.rejection'))[0]?.n ===
        refused.length,
    );
    await scene.send([
      trade({ ...draft, negotiationId: 'good', dispute: { windowDays: 1, method: 'court' } }).envelope,
    ]);
    await scene.until('a conflict', async () => (await scene.count('v402.quarantine')) === 1);

    // A value that the database refuses, quoting it.
    await scene.sql(`CREATE FUNCTION refuse_deal() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.negotiation_id = 'data-error' THEN
        RAISE EXCEPTION 'no: % %', NEW.buyer, '${PRIVATE['name of a person']}' USING ERRCODE = '22003', DETAIL = '${PRIVATE.street}';
      END IF; RETURN NEW; END $$`);
    await scene.sql(
      'CREATE TRIGGER refuse_deal BEFORE INSERT ON v402.deal FOR EACH ROW EXECUTE FUNCTION refuse_deal()',
    );
    await scene.send([trade({ ...draft, negotiationId: 'data-error' }).envelope]);
    await untilSaid('undecidable_message');
  });

  test('wrong passwords', async () => {
    const wrong = withPassword(scene.database.appUrl, CREDENTIALS['wrong password']);
    const stranger = scene.start('workflows', { ...environment(), V402_DATABASE_URL: wrong });
    await untilSaid('database_authentication_failed');
    await scene.kill(stranger);
    const sasl = {
      V402_KAFKA_SASL: 'plain',
      V402_KAFKA_USERNAME: 'v402',
      V402_KAFKA_PASSWORD: CREDENTIALS['SASL password'],
    };
    const refused = /"code":"(?:authentication_failed|broker_unavailable|consumer_failed)"/;
    const before = said(refused);
    const unwelcome = scene.start('intake', { ...environment(), ...sasl });
    await untilSaid(refused, before);
    await scene.kill(unwelcome);
    const misconfigured = scene.start('relay', {
      ...environment(),
      V402_DATABASE_URL: `mysql://x:${CREDENTIALS['wrong password']}@h`,
    });
    expect(await ends(misconfigured)).toBe(78);
  });

  test('the database and the broker go away and come back', async () => {
    const before = { database: said('database_unavailable'), broker: said('broker_unavailable') };
    await parts.postgres.stop('immediate');
    await untilSaid('database_unavailable', before.database);
    await parts.postgres.start();
    await parts.kafka.kill();
    await untilSaid('broker_unavailable', before.broker);
    await parts.kafka.start();
    await scene.send([trade({ ...draft, negotiationId: 'after' }).envelope]);
    await scene.until('accepted', async () => (await scene.count("v402.deal WHERE negotiation_id = 'after'")) === 1);
  });

  test('commands that go wrong', async () => {
    const env = { V402_DATABASE_URL: withPassword(scene.database.appUrl, CREDENTIALS['wrong password']) };
    const key = scene.file('key', `${CREDENTIALS['private key']}00`);
    const contract = scene.file('contract.json', JSON.stringify(buildContract(draft)));
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: 'AAAA', d: CREDENTIALS['private key'] };
    const badJwk = scene.file('jwk', JSON.stringify(jwk));
    for (const args of [
      ['overview'],
      ['show', 'f'.repeat(64)],
      ['sign', contract, '--role', 'buyer', '--key', key],
      ['sign', contract, '--role', 'buyer', '--key', badJwk],
      ['verify', key, '--registry', badJwk],
    ]) {
      const { status, stdout, stderr } = await v402(args, { env });
      expect([args[0], status]).toEqual([args[0], 2]);
      commands.push(stdout, stderr);
    }
  });

  test('nothing of it was written', () => {
    expect(written().length).toBeGreaterThan(5_000);
    for (const app of APPS) expect(scene.log(app)).toContain('The roles run.');
    expect(findSecrets(written(), ALL)).toEqual([]);
  });

  test('no column of the database that is not a document holds any of it', async () => {
    const columns = await scene.sql<{ table: string; column: string }>(
      `SELECT format('%I.%I', table_schema, table_name) AS table, format('%I', column_name) AS column
       FROM information_schema.columns WHERE table_schema = 'v402' AND data_type IN ('text', 'jsonb', 'json', 'ARRAY')`,
    );
    expect(columns.length).toBeGreaterThan(40);
    const found: string[] = [];
    for (const { table, column } of columns) {
      const values = await scene.sql<{ text: string }>(
        `SELECT ${column}::text AS text FROM ${table} WHERE ${column} IS NOT NULL`,
      );
      const text = values.map((row) => row.text).join('\n');
      found.push(...findSecrets(text, ALL).map((secret) => `${table}.${column}: ${secret}`));
    }
    expect(found).toEqual([]);
  });

  test('the documents hold no password and no key', async () => {
    for (const [table, column] of [
      ['event', 'bytes'],
      ['raw_message', 'bytes'],
      ['settlement', 'canonical'],
    ] as const) {
      const rows = await scene.sql<{ bytes: Buffer }>(`SELECT ${column} AS bytes FROM v402.${table}`);
      expect(rows.length).toBeGreaterThan(0);
      expect(findSecrets(rows.map(({ bytes }) => bytes.toString('utf8')).join('\n'), CREDENTIALS)).toEqual([]);
    }
  });

  test('control: a service that writes a password is found', async () => {
    const leak = 'data:text/javascript,console.log(process.env.V402_DATABASE_URL)';
    const child = scene.start('standalone', { ...environment(), NODE_OPTIONS: `--import=${leak}` });
    await scene.until('it leaks', () => Promise.resolve(scene.log('standalone').includes('postgresql://')));
    await scene.kill(child);
    expect(findSecrets(scene.log('standalone'), ALL)).toEqual(['password of the services: percent-encoded']);
  });
});

describe('control: a secret is found in every form', () => {
  const secrets = { it: 'pä"ss/wörd+1' };

  test.each([
    ['plain', secrets.it],
    ['percent-encoded', `postgresql://app:${encodeURIComponent(secrets.it)}@db`],
    ['JSON', JSON.stringify({ error: { password: secrets.it } })],
    ['JSON within JSON', JSON.stringify({ line: JSON.stringify(secrets) })],
    ['base64', Buffer.from(secrets.it).toString('base64')],
    ['base64 after one byte', Buffer.from(`x${secrets.it}`).toString('base64')],
    ['base64 after two bytes, for URLs', Buffer.from(`xy${secrets.it}z`).toString('base64url')],
    ['hex', Buffer.from(secrets.it).toString('hex').toUpperCase()],
  ])('%s', (_, text) => {
    expect(findSecrets(`{"msg":"a ${text} b"}`, secrets)).not.toEqual([]);
  });

  test('and not where it is not', () => {
    expect(findSecrets('{"msg":"all is well"}', secrets)).toEqual([]);
  });
});
