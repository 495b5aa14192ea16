import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import type { ChildProcess } from 'node:child_process';
import { SettlementScene } from '../support/settlement-scene.js';
import { trade } from '../support/trade.js';

interface Ready {
  readonly status: 'ready' | 'not_ready';
  readonly checks?: readonly { readonly check: string; readonly ready: boolean; readonly code: string | null }[];
}

const ANY_PORT = { V402_HTTP_PORT: '0' };
const TOKEN = 'a-token-of-the-tests';

describe('operating a process, black box: apps, Kafka and PostgreSQL are real', () => {
  let scene: SettlementScene;

  beforeEach(async () => {
    scene = await SettlementScene.open();
  });
  afterEach(async () => {
    await scene.close();
  });

  /** Where the app listens, as its log says. */
  const address = async (app: 'standalone' | 'intake' | 'relay' = 'standalone'): Promise<string> => {
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
    await scene.until('ready', async () => (await readiness(url)).http === 200);
    expect((await readiness(url)).checks?.toSorted((a, b) => a.check.localeCompare(b.check))).toEqual(
      ['backlog', 'database', 'intake', 'orders', 'process', 'relay', 'schedule', 'workflows'].map((check) => ({
        check,
        ready: true,
        code: null,
      })),
    );
    await scene.send([trade({ negotiationId: 'operated' }).envelope, Buffer.from('{')]);
    await scene.until('the order', async () => (await scene.count('orderbook.order_head')) === 2);
    await scene.settled();
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('v402_intake_messages_total{outcome="accepted"} 1\n');
    expect(metrics).toContain('v402_intake_messages_total{outcome="rejected"} 1\n');
    expect(metrics).toContain('v402_intake_refusals_total{code="malformed_json"} 1\n');
    expect(metrics).toContain(
      'v402_order_call_duration_seconds_count{order_system="embedded",operation="create",outcome="created"} 2\n',
    );
    expect(metrics).toContain('v402_events_published_total{type="org.v402.order.created.v1"} 2\n');
    expect(metrics).toContain('v402_work_claims_total{kind="order",attempt="first"} 2\n');
    expect(metrics).toContain('v402_outbox_rows 0\n');
    expect(metrics).toContain('v402_ready{check="orders"} 1\n');
    expect(metrics).toMatch(/^v402_intake_lag_records\{topic="[^"]+contracts[^"]*",partition="\d"\} 0$/m);
    expect(metrics).toMatch(/^nodejs_eventloop_lag_seconds /m);
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
    await scene.until(
      'all orders',
      async () => (await scene.count('orderbook.order_head')) === 2 * sent.length,
      60_000,
    );
    await scene.settled(60_000);
    expect(scene.log()).not.toContain('drain_');
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
