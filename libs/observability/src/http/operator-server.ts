import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TerminalError } from '@v402/domain';
import type { Health } from '../health/health.js';
import type { Metrics } from '../metrics/metrics.js';

export interface OperatorServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Asked for as a bearer token before metrics and details are told; undefined: told to everybody who can connect. */
  readonly token: string | undefined;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const TEXT_TYPE = 'text/plain; charset=utf-8';
/** For people and probes: a slow or silent client is cut off, and there are never many. */
const REQUEST_TIMEOUT_MS = 5_000;
const MAX_CONNECTIONS = 50;

/**
 * What operators and their tools ask a process over HTTP: `/health/live`, `/health/ready`, `/metrics`. Three fixed paths,
 * read-only and without a body, so Node's own server is all it takes.
 */
export class OperatorServer {
  private constructor(
    private readonly server: Server,
    /** Where it listens. */
    readonly url: string,
  ) {}

  /** @throws TerminalError `http_port_in_use`, `http_listen_failed` */
  static async listen(options: OperatorServerOptions, health: Health, metrics: Metrics): Promise<OperatorServer> {
    const { host, port, token } = options;
    const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS });
    server.maxConnections = MAX_CONNECTIONS;
    server.on('request', (request, response) => {
      void answer(request, { health, metrics, token }).then((answered) => {
        send(request, response, answered);
      });
    });
    server.listen({ host, port });
    await once(server, 'listening').catch((error: unknown) => {
      throw listenError(error, host, port);
    });
    const { address, port: bound, family } = server.address() as AddressInfo;
    return new OperatorServer(server, `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`);
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}

interface Told {
  readonly health: Health;
  readonly metrics: Metrics;
  readonly token: string | undefined;
}

async function answer(request: IncomingMessage, { health, metrics, token }: Told): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'method not allowed\n');
  const maySeeAll = token === undefined || isBearer(request.headers.authorization, token);
  const [path = ''] = (request.url ?? '').split('?');
  switch (path) {
    case '/health/live':
      // That this is answered at all is the answer: the event loop turns.
      return json(200, { status: 'live' });
    case '/health/ready': {
      const { ready, checks } = health.report();
      return json(ready ? 200 : 503, { status: ready ? 'ready' : 'not_ready', ...(maySeeAll && { checks }) });
    }
    case '/metrics':
      if (!maySeeAll) return plain(401, 'bearer token required\n');
      try {
        return { status: 200, type: metrics.contentType, body: await metrics.text() };
      } catch {
        return plain(500, 'metrics failed\n');
      }
    default:
      return plain(404, 'not found\n');
  }
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    ...(status === 405 && { allow: 'GET, HEAD' }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

const json = (status: number, body: unknown): Answer => ({
  status,
  type: JSON_TYPE,
  body: `${JSON.stringify(body)}\n`,
});
const plain = (status: number, body: string): Answer => ({ status, type: TEXT_TYPE, body });

/** Compared by digests of equal length: the time it takes says nothing about the token. */
function isBearer(header: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1] ?? '';
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

function listenError(error: unknown, host: string, port: number): TerminalError {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  const where = `${host}:${port}`;
  return code === 'EADDRINUSE'
    ? new TerminalError('http_port_in_use', `${where} (V402_HTTP_HOST, V402_HTTP_PORT) is used by another program.`)
    : new TerminalError(
        'http_listen_failed',
        `Nothing can listen on ${where} (V402_HTTP_HOST, V402_HTTP_PORT): ${String(code)}.`,
        {},
        { cause: error },
      );
}
