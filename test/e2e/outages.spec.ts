import { readFileSync } from 'node:fs';
import { startLocalParts, type LocalParts } from '@v402/local-parts';
import { publishedViolations } from '../support/oracle.js';
import { SettlementScene } from '../support/settlement-scene.js';
import { SELLER, SIGNERS, trade, TRUST_REGISTRY } from '../support/trade.js';

const accepted =
  (scene: SettlementScene, negotiationId: string): (() => Promise<boolean>) =>
  async () =>
    (await scene.count(`v402.deal WHERE negotiation_id = '${negotiationId}'`)) === 1;

/** Pino's levels: 40 is a warning, 50 an error. */
const WARNING = /"level":[45]0/;

describe('outages, black box: an app meets parts that are away, and goes on by itself', () => {
  let parts: LocalParts;
  let scene: SettlementScene;

  beforeAll(async () => {
    parts = await startLocalParts({ embedded: true });
    scene = await SettlementScene.open({
      parts: { brokers: parts.kafka.brokers, adminUrl: parts.postgres.adminUrl },
      topics: false,
    });
  });

  afterAll(async () => {
    await scene.close();
    await parts.stop();
  });

  /** How often the app has warned of a code so far. */
  const said = (code: string): number =>
    scene
      .log()
      .split('\n')
      .filter((line) => WARNING.test(line) && new RegExp(`"(code|alarm)":"${code}"`).test(line)).length;
  /** Waits until the app has said the code once more than `before`: only then is what it does about it seen. */
  const untilSaid = (code: string, before = 0): Promise<void> =>
    scene.until(`it says ${code}`, () => Promise.resolve(said(code) > before));
  const send = (negotiationId: string): Promise<void> => scene.send([trade({ negotiationId }).envelope]);

  test('database away and topic missing at start; then the database goes away and comes back', async () => {
    await parts.postgres.stop('immediate');
    scene.start('standalone');
    await untilSaid('topic_missing');
    await untilSaid('database_unavailable');
    await scene.createTopics();
    await send('outage-1');
    await parts.postgres.start();
    await scene.until('accepted after the start', accepted(scene, 'outage-1'));
    await scene.settled();

    const before = said('database_unavailable');
    await parts.postgres.stop('immediate');
    await untilSaid('database_unavailable', before);
    await send('outage-2');
    await parts.postgres.start();
    await scene.until('accepted after the database was back', accepted(scene, 'outage-2'));
    await scene.settled();
    // One line per change, not one per attempt: each of the process's seven loops notices each of the two outages once.
    expect(said('database_unavailable')).toBeLessThanOrEqual(7 * 2);
  });

  test('the broker goes away and comes back', async () => {
    const before = said('broker_unavailable');
    await parts.kafka.kill();
    await untilSaid('broker_unavailable', before);
    await parts.kafka.start();
    await send('outage-3');
    await scene.until('accepted after the broker was back', accepted(scene, 'outage-3'));
    await scene.settled();
  });

  test('the order book alone goes away: contracts are accepted, and their orders are created when it is back', async () => {
    const role = new URL(scene.database.orderbookUrl).username;
    const ordersOf = (): Promise<number> => scene.count('orderbook.order_head');
    const before = await ordersOf();
    await scene.sql(`ALTER ROLE ${role} NOLOGIN`);
    await scene.sql('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [role]);
    await send('outage-4');
    await scene.until('accepted without the order book', accepted(scene, 'outage-4'));
    await untilSaid('order_system_unavailable');
    const waiting = "v402.order_placement WHERE state = 'waiting' AND code = 'order_book_misconfigured'";
    await scene.until('its orders wait', async () => (await scene.count(waiting)) === 2);
    await send('outage-5');
    await scene.until('accepted meanwhile', accepted(scene, 'outage-5'));
    expect(await ordersOf()).toBe(before);

    await scene.sql(`ALTER ROLE ${role} LOGIN`);
    await scene.until('ordered', async () => (await ordersOf()) === before + 4);
    await scene.settled();
    // Said when it began, for all orders together.
    expect(said('order_system_unavailable')).toBe(1);
  });

  test('after all of it, everything is there once', async () => {
    expect(await scene.count('v402.settlement')).toBe(5);
    expect(await scene.count('orderbook.order_head')).toBe(10);
    expect(await publishedViolations(scene)).toEqual([]);
  });
});

describe('configuration, black box', () => {
  let scene: SettlementScene;

  beforeAll(async () => {
    scene = await SettlementScene.open();
  });

  afterAll(async () => {
    await scene.close();
  });

  const ends = async (env: Record<string, string>): Promise<{ status: number | null; log: string }> => {
    const child = scene.start('standalone', env);
    const status = await new Promise<number | null>((resolve) => child.once('exit', resolve));
    return { status, log: scene.log() };
  };

  test('every error at once, by variable name and without the value', async () => {
    const { status, log } = await ends({
      V402_INSTANCE_ID: 'not allowed!',
      V402_DATABASE_URL: 'mysql://hunter2@db',
      V402_PARTIES: '',
      V402_LEASE_MS: 'soon',
    });
    expect(status).toBe(78);
    for (const name of ['V402_INSTANCE_ID', 'V402_DATABASE_URL', 'V402_PARTIES', 'V402_LEASE_MS'])
      expect(log).toContain(name);
    expect(log).not.toContain('hunter2');
  });

  test('a trust registry that is missing, or at fault, with the place of each fault', async () => {
    const missing = await ends({ V402_TRUST_REGISTRY: '/nowhere/registry.json' });
    expect(missing.status).toBe(78);
    expect(missing.log).toContain('trust_registry_unreadable');
    const file = scene.file('faulty.json', '{"format":"v402-trust-registry/1","parties":[{"id":""}]}');
    const faulty = await ends({ V402_TRUST_REGISTRY: file });
    expect(faulty.status).toBe(78);
    expect(faulty.log).toContain('/parties/0/id');
  });

  test('a registry without a served party: a warning, and its contracts are refused as unknown_party', async () => {
    const file = scene.file('empty.json', '{"format":"v402-trust-registry/1","parties":[]}');
    const app = scene.start('standalone', { V402_TRUST_REGISTRY: file, V402_PARTIES: SELLER });
    await scene.send([trade({ negotiationId: 'stranger' }).envelope]);
    await scene.until('refused', async () => (await scene.count("v402.rejection WHERE code = 'unknown_party'")) === 1);
    await scene.untilSaid('served_party_not_in_registry');
    await scene.kill(app);
  });

  test('a registry that is changed while it runs: a revocation counts from the next contract on', async () => {
    const registry = JSON.parse(readFileSync(TRUST_REGISTRY, 'utf8')) as {
      parties: { keys: { kid: string; revokedAt?: string; revocationReason?: string }[] }[];
    };
    const file = scene.file('registry.json', JSON.stringify(registry));
    const app = scene.start('standalone', { V402_TRUST_REGISTRY: file });
    const send = (negotiationId: string): Promise<void> => scene.send([trade({ negotiationId }).envelope]);
    await send('before-revocation');
    await scene.until('accepted', accepted(scene, 'before-revocation'));

    scene.file('registry.json', '{"format":');
    await send('registry-at-fault');
    await scene.until('judged by the last good registry', accepted(scene, 'registry-at-fault'));
    await scene.untilSaid('"alarm":"trust_registry_invalid"');

    const key = registry.parties.flatMap(({ keys }) => keys).find(({ kid }) => kid === SIGNERS.seller.kid)!;
    Object.assign(key, { revokedAt: '2026-01-01T00:00:00Z', revocationReason: 'compromised' });
    scene.file('registry.json', JSON.stringify(registry));
    await send('after-revocation');
    await scene.until('refused', async () => (await scene.count("v402.rejection WHERE code = 'key_revoked'")) === 1);
    await scene.untilSaid('"code":"trust_registry_changed"');
    expect(await scene.count("v402.deal WHERE negotiation_id = 'after-revocation'")).toBe(0);
    expect(await scene.kill(app, 'SIGTERM')).toBe(0);
  });
});
