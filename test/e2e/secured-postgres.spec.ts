import { join } from 'node:path';
import { startLocalParts, type LocalParts } from '@v402/local-parts';
import { v402 } from '../support/cli.js';
import { SettlementScene } from '../support/settlement-scene.js';
import { trade } from '../support/trade.js';

const tls = (file: string): string => join(import.meta.dirname, '../support/tls', file);

/** Real: a PostgreSQL that takes connections with TLS only, Kafka, the standalone app, the command line. */
let parts: LocalParts;
let scene: SettlementScene;

beforeAll(async () => {
  parts = await startLocalParts({
    embedded: true,
    postgresTls: {
      certificateFile: tls('server.pem'),
      keyFile: tls('server.key'),
      issuerFile: tls('issuer.pem'),
    },
  });
  const { kafka, postgres } = parts;
  // Provisioning and migrating go the same way: every URL says sslmode=verify-full.
  scene = await SettlementScene.open({ parts: { brokers: kafka.brokers, adminUrl: postgres.adminUrl } });
});

afterAll(async () => {
  await scene.close();
  await parts.stop();
});

/** The services' URL with other parameters than its own. */
const appUrl = (parameters: Record<string, string>): string => {
  const url = new URL(scene.database.appUrl);
  url.search = new URLSearchParams(parameters).toString();
  return url.href;
};

test('each role does its work, operators theirs, and nothing goes over the wire in clear', async () => {
  scene.start('standalone');
  await scene.send([trade({ negotiationId: 'over-tls' }).envelope]);
  await scene.until('ordered', async () => (await scene.count('orderbook.order_head')) === 2);
  await scene.settled();
  // Of one that only begins PostgreSQL does not say yet how it came.
  const connections = await scene.sql<{ application: string; encrypted: boolean }>(
    `SELECT DISTINCT application_name AS application, ssl AS encrypted
     FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE client_addr IS NOT NULL AND state <> 'starting'`,
  );
  expect(connections.map(({ application }) => application)).toContain('v402 scene');
  expect(connections.filter(({ encrypted }) => !encrypted)).toEqual([]);
  const env = { ...scene.environment(), V402_OPERATOR_DATABASE_URL: scene.database.operatorUrl };
  expect(await v402(['quarantine', 'list'], { env })).toMatchObject({ status: 0 });
  const window = ['--from', '2020-01-01T00:00:00Z', '--to', new Date().toISOString(), '--grace-seconds', '0'];
  expect(await v402(['reconcile', ...window], { env })).toMatchObject({ status: 0 });
});

test('behavior: the issuer of the certificate may come from NODE_EXTRA_CA_CERTS', async () => {
  const env = { ...scene.environment(), V402_DATABASE_URL: appUrl({ sslmode: 'verify-full' }) };
  const [{ id } = { id: '' }] = await scene.sql<{ id: string }>('SELECT short_ref AS id FROM v402.settlement');
  const { status, stderr } = await v402(['show', id], { env: { ...env, NODE_EXTRA_CA_CERTS: tls('issuer.pem') } });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test.each([
  {
    what: 'a certificate that nobody trusts',
    url: () => appUrl({ sslmode: 'verify-full' }),
    says: /^database_tls_failed: .*sslrootcert/,
  },
  {
    what: 'a connection in clear, which the server refuses',
    url: () => appUrl({}),
    says: /^database_authentication_failed: .*sslmode/,
  },
])('error: $what', async ({ url, says }) => {
  const env = { ...scene.environment(), V402_DATABASE_URL: url() };
  for (const command of [
    ['reconcile', '--last'],
    ['show', '0'.repeat(64)],
  ]) {
    const { status, stderr } = await v402(command, { env });
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(says) as string });
    expect(stderr).not.toContain(new URL(url()).password);
  }
});
