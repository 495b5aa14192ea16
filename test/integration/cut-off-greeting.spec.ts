import { createServer, type AddressInfo, type Server } from 'node:net';
import { EmbeddedOrderSystem } from '@v402/order-systems';
import { PgUnitOfWork } from '@v402/persistence';

/** A message of PostgreSQL's protocol: type, length, body. */
const message = (type: string, body: Buffer): Buffer => {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};

const AUTHENTICATED = message('R', Buffer.alloc(4));
const READY = message('Z', Buffer.from('I'));
const ENDED = message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0'));

/** A server that ends each connection in the same packet in which it greets it, as one that shuts down may. */
let server: Server;
let url: string;

beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(Buffer.concat([AUTHENTICATED, READY, ENDED])));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `postgresql://nobody@127.0.0.1:${(server.address() as AddressInfo).port}/nothing`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

// Nobody has borrowed the connection yet when its end is told: without a listener that ends the process, and this test.
test('error: a connection that is ended with its greeting ends the transaction, and not the process', async () => {
  const unitOfWork = new PgUnitOfWork({ url, applicationName: 'test' });
  await expect(unitOfWork.run((tx) => tx.now())).rejects.toMatchObject({ code: 'database_unavailable' });
  await unitOfWork.close();
});

test('error: likewise of the order book', async () => {
  const system = new EmbeddedOrderSystem({ url });
  const reference = { kind: 'sales_order', reference: 'R' } as const;
  await expect(system.readBack(reference, AbortSignal.timeout(10_000))).rejects.toMatchObject({ kind: 'retryable' });
  await system.close();
});
