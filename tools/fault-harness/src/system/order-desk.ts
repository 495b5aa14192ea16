import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '@v402/simulators';
import { DESK_TIMEOUT_MS, deskKey, monotonicMs, type CreateRequest, type DeskMode, type DeskOrder } from './desk.js';

type Asked = CreateRequest & Pick<DeskOrder, 'askedAt'>;

/**
 * An order system in a process of its own, seen from the roles: orders over HTTP. It promises unique references and does
 * not keep the promise, so that every order that is asked for a second time stands there to be counted.
 */
export class OrderDesk {
  readonly #orders = new Map<string, DeskOrder[]>();
  readonly #server: Server;
  #count = 0;
  mode: DeskMode = 'works';

  private constructor(private readonly random: Random) {
    this.#server = createServer((request, response) => {
      void this.#serve(request, response).catch(() => {
        response.destroy();
      });
    });
    this.#server.keepAliveTimeout = 60_000;
  }

  static async open(random: Random): Promise<OrderDesk> {
    const desk = new OrderDesk(random);
    await new Promise<void>((resolve) => desk.#server.listen(0, '127.0.0.1', resolve));
    return desk;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get orders(): readonly DeskOrder[] {
    return [...this.#orders.values()].flat();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    if (request.method === 'POST') {
      const asked = (await json(request)) as CreateRequest;
      await this.#create({ ...asked, askedAt: new Date().toISOString() }, response);
      return;
    }
    const found = this.#orders.get(`${url.searchParams.get('kind')} ${url.searchParams.get('reference')}`) ?? [];
    this.#show(found, response);
  }

  /** A look-up meets the same troubles as a request. */
  #show(found: readonly DeskOrder[], response: ServerResponse): void {
    switch (this.mode) {
      case 'works':
      case 'commits_late':
        answer(response, 200, found);
        return;
      case 'answer_lost':
        response.destroy();
        return;
      case 'storm':
        answer(response, 503, []);
        return;
      case 'busy':
        answer(response, 429, []);
        return;
      case 'reset':
        response.socket?.resetAndDestroy();
        return;
      case 'hangs':
        return;
    }
  }

  async #create(asked: Asked, response: ServerResponse): Promise<void> {
    const { mode } = this;
    switch (mode) {
      case 'works':
        this.#confirm(this.#put(asked), response);
        return;
      case 'answer_lost':
        this.#put(asked);
        response.destroy();
        return;
      case 'commits_late':
        await sleep(this.random.int(DESK_TIMEOUT_MS * 0.75, DESK_TIMEOUT_MS * 0.95));
        this.#put(asked);
        response.destroy();
        return;
      case 'storm':
        if (this.random.chance(50)) this.#put(asked);
        answer(response, 503, {});
        return;
      case 'busy':
        response.setHeader('retry-after-ms', '200');
        answer(response, 429, {});
        return;
      case 'reset':
        if (this.random.chance(50)) this.#put(asked);
        response.socket?.resetAndDestroy();
        return;
      case 'hangs':
        return;
    }
  }

  #confirm(placed: DeskOrder | undefined, response: ServerResponse): void {
    if (placed === undefined) response.destroy();
    else answer(response, 201, placed);
  }

  /** Creates the order, unless the machine was so slow that its caller may have looked for it already. */
  #put({ order, attempt, askedAt, askedMs }: Asked): DeskOrder | undefined {
    if (monotonicMs() - askedMs > DESK_TIMEOUT_MS) return undefined;
    this.#count += 1;
    const placed = { ...order, attempt, askedAt, orderNumber: `D-${this.#count}` };
    const key = deskKey(order.kind, order.reference);
    this.#orders.set(key, [...(this.#orders.get(key) ?? []), placed]);
    return placed;
  }
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
