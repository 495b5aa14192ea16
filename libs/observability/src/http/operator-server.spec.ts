import { once } from 'node:events';
import { connect } from 'node:net';
import { Health } from '../health/health.js';
import { Metrics } from '../metrics/metrics.js';
import { OperatorServer } from './operator-server.js';

const TOKEN = 'sixteen-characters';
const servers: OperatorServer[] = [];
let health: Health;
let metrics: Metrics;

const open = async (token?: string): Promise<string> => {
  const server = await OperatorServer.listen({ host: '127.0.0.1', port: 0, token }, health, metrics);
  servers.push(server);
  return server.url;
};
const get = (url: string, init: RequestInit = {}): Promise<Response> => fetch(url, init);

beforeEach(() => {
  health = new Health();
  metrics = new Metrics();
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

test('default: live from the start; ready, with its checks, once everything has started and makes progress', async () => {
  const url = await open();
  let code: string | null = null;
  health.add('orders', () => code);
  expect((await get(`${url}/health/live`)).status).toBe(200);
  expect((await get(`${url}/health/ready`)).status).toBe(503);
  health.started();
  const ready = await get(`${url}/health/ready`);
  expect([ready.status, await ready.json()]).toEqual([
    200,
    {
      status: 'ready',
      checks: [
        { check: 'process', ready: true, code: null },
        { check: 'orders', ready: true, code: null },
      ],
    },
  ]);
  code = 'round_stuck';
  const stuck = await get(`${url}/health/ready`);
  expect(stuck.status).toBe(503);
  expect(await stuck.json()).toMatchObject({ checks: [{}, { check: 'orders', ready: false, code: 'round_stuck' }] });
});

test('behavior: not ready from the first moment of draining, and started no more', async () => {
  const url = await open();
  health.started();
  health.drain();
  health.started();
  expect(await (await get(`${url}/health/ready`)).json()).toMatchObject({ checks: [{ code: 'draining' }] });
  expect((await get(`${url}/health/live`)).status).toBe(200);
});

test('behavior: metrics in the text format, also those of the process itself', async () => {
  const url = await open();
  metrics.count('v402_alarms_total', { code: 'claim_lost' }, 2);
  metrics.onCollect(() => {
    metrics.set('v402_streams_parked', {}, 3);
  });
  const response = await get(`${url}/metrics?any=thing`);
  const text = await response.text();
  expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  expect(text).toContain('v402_alarms_total{code="claim_lost"} 2\n');
  expect(text).toContain('v402_streams_parked 3\n');
  expect(text).toContain('process_resident_memory_bytes ');
});

test('behavior: what is forgotten is not told', async () => {
  const url = await open();
  metrics.set('v402_holds_open', { reason: 'equivocation' }, 1);
  metrics.forget('v402_holds_open');
  expect(await (await get(`${url}/metrics`)).text()).not.toContain('v402_holds_open{');
});

test('behavior: with a token, metrics and details are for its bearers alone', async () => {
  const url = await open(TOKEN);
  health.started();
  const authorization = [undefined, 'Basic x', `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(0, -1)}`, 'Bearer '];
  for (const given of authorization) {
    const headers = given === undefined ? {} : { authorization: given };
    const refused = await get(`${url}/metrics`, { headers });
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(await (await get(`${url}/health/ready`, { headers })).json()).toEqual({ status: 'ready' });
  }
  const headers = { authorization: `Bearer ${TOKEN}` };
  expect((await get(`${url}/metrics`, { headers })).status).toBe(200);
  expect(await (await get(`${url}/health/ready`, { headers })).json()).toHaveProperty('checks');
});

test('error: other paths and methods, and a collector that fails, tell nothing', async () => {
  const url = await open();
  expect((await get(`${url}/`)).status).toBe(404);
  expect((await get(`${url}/health/live/..%2f`)).status).toBe(404);
  const posted = await get(`${url}/metrics`, { method: 'POST', body: 'x' });
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  expect(await (await get(`${url}/health/live`, { method: 'HEAD' })).text()).toBe('');
  metrics.onCollect(() => {
    throw new Error('with a secret');
  });
  const failed = await get(`${url}/metrics`);
  expect([failed.status, await failed.text()]).toEqual([500, 'metrics failed\n']);
});

test('error: a port in use, and an address that is not here', async () => {
  const { port } = new URL(await open());
  const listen = (host: string): Promise<OperatorServer> =>
    OperatorServer.listen({ host, port: Number(port), token: undefined }, health, metrics);
  await expect(listen('127.0.0.1')).rejects.toMatchObject({ kind: 'terminal', code: 'http_port_in_use' });
  await expect(listen('192.0.2.1')).rejects.toMatchObject({ kind: 'terminal', code: 'http_listen_failed' });
});

test('behavior: closing cuts off who only holds a connection open', async () => {
  const url = await open();
  const idle = connect(Number(new URL(url).port), '127.0.0.1');
  idle.on('error', () => undefined);
  await once(idle, 'connect');
  const closed = once(idle, 'close');
  await Promise.all(servers.splice(0).map((server) => server.close()));
  await closed;
});
