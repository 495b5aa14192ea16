import { startLocalParts, type LocalParts } from '@v402/local-parts';
import { publishedViolations } from '../support/oracle.js';
import { SettlementScene } from '../support/settlement-scene.js';
import { SELLER, trade } from '../support/trade.js';

const accepted =
  (scene: SettlementScene, negotiationId: string): (() => Promise<boolean>) =>
  async () =>
    (await scene.count(`v402.deal WHERE negotiation_id = '${negotiationId}'`)) === 1;

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

  test('database away and topic missing at start; then the database goes away and comes back; then the broker', async () => {
    await parts.postgres.stop('immediate');
    scene.start('standalone');
    await scene.until('it says that the topic is missing', () =>
      Promise.resolve(scene.log().includes('topic_missing')),
    );
    await scene.until('it says that the database is away', () =>
      Promise.resolve(scene.log().includes('database_unavailable')),
    );

    await scene.createTopics();
    await scene.send([trade({ negotiationId: 'outage-1' }).envelope]);
    await parts.postgres.start();
    await scene.until('accepted after the start', accepted(scene, 'outage-1'), 30_000);
    await scene.settled();

    await parts.postgres.stop('immediate');
    await scene.send([trade({ negotiationId: 'outage-2' }).envelope]);
    await parts.postgres.start();
    await scene.until('accepted after the database was back', accepted(scene, 'outage-2'), 30_000);
    await scene.settled();

    await parts.kafka.kill();
    await parts.kafka.start();
    await scene.send([trade({ negotiationId: 'outage-3' }).envelope]);
    await scene.until('accepted after the broker was back', accepted(scene, 'outage-3'), 30_000);
    await scene.settled(30_000);

    expect(await scene.count('v402.settlement')).toBe(3);
    expect(await scene.count('orderbook.order_head')).toBe(6);
    expect(await publishedViolations(scene)).toEqual([]);
    // One line per change, not one per attempt.
    expect(scene.log().split('database_unavailable').length).toBeLessThan(30);
  }, 120_000);
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
    scene.start('standalone', { V402_TRUST_REGISTRY: file, V402_PARTIES: SELLER });
    await scene.send([trade({ negotiationId: 'stranger' }).envelope]);
    await scene.until('refused', async () => (await scene.count("v402.rejection WHERE code = 'unknown_party'")) === 1);
    expect(scene.log()).toContain('served_party_not_in_registry');
  });
});
