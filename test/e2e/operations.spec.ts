import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import type { ChildProcess } from 'node:child_process';
import pg from 'pg';
import { SettlementScene, SHORT_LEASES } from '../support/settlement-scene.js';
import { trade } from '../support/trade.js';

interface Ready {
  readonly status: 'ready' | 'not_ready';
  readonly checks?: readonly { readonly check: string; readonly ready: boolean; readonly code: string | null }[];
}

const ANY_PORT = { V402_HTTP_PORT: '0' };
const TOKEN = 'a-token-of-the-tests';

/** Of a contract whose two orders are created, and a message that is no JSON. */
const COUNTED = [
  'v402_intake_messages_total{outcome="accepted"} 1',
  'v402_intake_messages_total{outcome="rejected"} 1',
  'v402_intake_refusals_total{code="malformed_json"} 1',
  'v402_order_call_duration_seconds_count{order_system="embedded",operation="create",outcome="created"} 2',
  'v402_events_published_total{type="org.v402.order.created.v1"} 2',
  'v402_work_claims_total{kind="order",attempt="first"} 2',
  'v402_outbox_rows 0',
  'v402_ready{check="orders"} 1',
];
const GAUGED = [
  /^v402_intake_lag_records\{topic="[^"]+contracts[^"]*",partition="\d"\} 0$/m,
  /^nodejs_eventloop_lag_seconds /m,
];

describe('operating a process, black box: apps, Kafka and PostgreSQL are real', () => {
  let scene: SettlementScene;

  beforeEach(async () => {
    scene = await SettlementScene.open();
  });
  afterEach(async () => {
    await scene.close();
  });

  /** Where the app listens, as its log says. */
  const address = async (app: 'standalone' | 'intake' | 'orders' | 'relay' = 'standalone'): Promise<string> => {
    let url: string | undefined;
    await scene.until('the address', () => {
      url = /"http":"([^"]+)"/.exec(scene.log(app))?.[1];
      return Promise.resolve(url !== undefined);
    });
    return url!;
  };
  const readiness = async (url: string): Promise<Ready & { readonly http: number }> => {
    const response = await fetch(`${url}/health/ready`);
    return { ...((await response.json()) as Ready), http: response.status };
  };
  const troubles = async (url: string): Promise<string[]> =>
    ((await readiness(url)).checks ?? []).flatMap(({ check, code }) => (code === null ? [] : [`${check}: ${code}`]));
  const ended = async (child: ChildProcess): Promise<number | null> =>
    ((await once(child, 'exit')) as [number | null])[0];

  test('default: ready when all roles make progress, and the metrics tell what they did', async () => {
    scene.start('standalone', ANY_PORT);
    const url = await address();
    let ready: Ready | undefined;
    await scene.until('ready', async () => {
      const seen = await readiness(url);
      if (seen.http === 200) ready = seen;
      return ready !== undefined;
    });
    expect(ready?.checks?.toSorted((a, b) => a.check.localeCompare(b.check))).toEqual(
      ['backlog', 'database', 'input', 'intake', 'orders', 'process', 'relay', 'schedule', 'workflows'].map(
        (check) => ({
          check,
          ready: true,
          code: null,
        }),
      ),
    );
    await scene.send([trade({ negotiationId: 'operated' }).envelope, Buffer.from('{')]);
    await scene.until('the orders', async () => (await scene.count('orderbook.order_head')) === 2);
    // It may stand in another partition, and be decided after the orders are there.
    await scene.until('the refusal', async () => (await scene.count('v402.rejection')) === 1);
    await scene.settled();
    // A process counts what it has done a moment after the database shows it.
    await scene.until('all is counted', async () => {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      return COUNTED.every((line) => metrics.includes(`\n${line}\n`)) && GAUGED.every((line) => line.test(metrics));
    });
  });

  test('behavior: live from the start; not ready, with the reason, until intake has joined its group', async () => {
    const topicless = await SettlementScene.open({ topics: false });
    try {
      topicless.start('intake', ANY_PORT);
      let url = '';
      await topicless.until('the address', () => {
        url = /"http":"([^"]+)"/.exec(topicless.log('intake'))?.[1] ?? '';
        return Promise.resolve(url !== '');
      });
      expect((await fetch(`${url}/health/live`)).status).toBe(200);
      await topicless.until('the reason', async () => (await troubles(url)).includes('intake: topic_missing'));
      expect((await readiness(url)).http).toBe(503);
      await topicless.createTopics();
      await topicless.until('ready', async () => (await readiness(url)).http === 200);
    } finally {
      await topicless.close();
    }
  });

  test('behavior: SIGTERM ends a process with status 0, when it has finished or given back what it held', async () => {
    const child = scene.start('standalone', ANY_PORT);
    const url = await address();
    await scene.until('ready', async () => (await readiness(url)).http === 200);
    const sent = Array.from({ length: 60 }, (_, index) => trade({ negotiationId: `drained-${index}` }).envelope);
    await scene.send(sent);
    await scene.until('work under way', async () => (await scene.count('orderbook.order_head')) > 3);
    const exit = ended(child);
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    expect(await scene.count('v402.work WHERE lease_until > clock_timestamp()')).toBe(0);
    expect(await scene.count('v402.relay_shard WHERE owner IS NOT NULL')).toBe(0);
    expect(await scene.count("v402.order_placement WHERE state IN ('placing', 'unknown')")).toBe(0);
    scene.start('standalone');
    await scene.until('all orders', async () => (await scene.count('orderbook.order_head')) === 2 * sent.length);
    await scene.settled();
    expect(scene.log()).not.toContain('drain_');
  });

  describe('with work under way that does not end', () => {
    let blocker: pg.Client;

    /** Orders claims what intake has accepted, and cannot go on: somebody holds the settlements' locks. */
    const stuckOrders = async (env: Record<string, string>): Promise<ChildProcess> => {
      const intake = scene.start('intake');
      await scene.send([trade({ negotiationId: 'stuck' }).envelope]);
      await scene.until('the settlement', async () => (await scene.count('v402.settlement')) === 1);
      await scene.kill(intake, 'SIGTERM');
      await blocker.query('BEGIN');
      await blocker.query('SELECT FROM v402.settlement FOR UPDATE');
      const orders = scene.start('orders', { ...SHORT_LEASES, ...env });
      await scene.until('claims', async () => (await scene.count('v402.work WHERE lease_until IS NOT NULL')) > 0);
      return orders;
    };

    beforeEach(async () => {
      blocker = new pg.Client({ connectionString: scene.database.adminUrl });
      await blocker.connect();
    });
    afterEach(() => blocker.end());

    test('behavior: over its limit the process ends with status 75, and nothing is lost', async () => {
      const orders = await stuckOrders({ V402_DRAIN_MS: '500' });
      const exit = ended(orders);
      orders.kill('SIGTERM');
      expect(await exit).toBe(75);
      expect(scene.log('orders')).toContain('"code":"drain_timeout"');
      await blocker.query('ROLLBACK');
      scene.start('orders');
      await scene.until('the orders', async () => (await scene.count('orderbook.order_head')) === 2);
    });

    test('behavior: a second signal ends it at once', async () => {
      const orders = await stuckOrders({});
      const exit = ended(orders);
      orders.kill('SIGTERM');
      await scene.until('the first signal', () => Promise.resolve(scene.log('orders').includes('"signal":"SIGTERM"')));
      orders.kill('SIGINT');
      expect(await exit).toBe(75);
      expect(scene.log('orders')).toContain('"code":"drain_cut_short"');
    });

    test('behavior: what stands still is told by readiness', async () => {
      await stuckOrders({ ...ANY_PORT, V402_UNREADY_AFTER_MS: '1000' });
      const url = await address('orders');
      await scene.until('the reason', async () => (await troubles(url)).includes('database: transaction_stuck'));
      await blocker.query('ROLLBACK');
      await scene.until('ready', async () => (await readiness(url)).http === 200);
    });
  });

  test('behavior: intake waits while the backlog is over its limit, says so once, and goes on by itself', async () => {
    scene.start('intake', { ...ANY_PORT, V402_BACKLOG_LIMIT: '100' });
    const url = await address('intake');
    const refused = (name: string): Buffer[] =>
      Array.from({ length: 150 }, (_, index) => Buffer.from(`${name} ${index}`));
    const paused = async (): Promise<boolean> =>
      (await (await fetch(`${url}/metrics`)).text()).includes('v402_intake_paused 1\n');
    await scene.send(refused('first'));
    await scene.until('the pause', paused);
    await scene.send(refused('second'));
    expect((await readiness(url)).http).toBe(200);
    scene.start('relay');
    await scene.until('everything', async () => (await scene.count('v402.rejection')) === 300);
    await scene.settled();
    const times = (text: string): number => scene.log('intake').split(text).length - 1;
    const isEven = (): boolean => times('"alarm":"backlog_over_limit"') === times('intake goes on.');
    await scene.until('intake to go on', () => Promise.resolve(isEven()));
    expect(scene.log('intake')).not.toContain('could not be handled');
  });

  test('error: a port in use is said, and nothing runs', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    try {
      const child = scene.start('relay', { V402_HTTP_PORT: String(port) });
      expect(await ended(child)).toBe(78);
      expect(scene.log('relay')).toContain(
        `http_port_in_use: 127.0.0.1:${port} (V402_HTTP_HOST, V402_HTTP_PORT) is used`,
      );
      expect(await scene.count('v402.relay_shard WHERE owner IS NOT NULL')).toBe(0);
    } finally {
      taken.close();
    }
  });

  test('behavior: with a token, metrics and details are for its bearers', async () => {
    scene.start('relay', { ...ANY_PORT, V402_HTTP_HOST: '0.0.0.0', V402_HTTP_TOKEN: TOKEN });
    const url = (await address('relay')).replace('0.0.0.0', '127.0.0.1');
    const get = (path: string, token?: string): Promise<Response> =>
      fetch(`${url}${path}`, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
    await scene.until('ready', async () => (await get('/health/ready')).status === 200);
    expect(await (await get('/health/ready')).json()).toEqual({ status: 'ready' });
    expect(await (await get('/health/ready', TOKEN)).json()).toHaveProperty('checks');
    expect((await get('/metrics')).status).toBe(401);
    expect((await get('/metrics', `${TOKEN}.`)).status).toBe(401);
    expect((await get('/metrics', TOKEN)).status).toBe(200);
    expect(scene.log('relay')).not.toContain(TOKEN);
  });
});
