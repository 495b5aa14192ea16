import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Takes connections and answers nothing, as a broker does whose process stands still. */
export class SilentBroker {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server = createServer((socket) => this.#sockets.add(socket.on('error', () => undefined)));

  /** @returns its address, as `host:port` */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const { port } = this.#server.address() as AddressInfo;
    return `127.0.0.1:${port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server.close(), 'close');
  }
}
