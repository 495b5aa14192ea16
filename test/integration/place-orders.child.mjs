// A process that places orders until nothing is left to place. It kills itself, as by a power cut, when it reaches the
// fault point V402_TEST_DIES_AT for the V402_TEST_DIES_COUNT-th time. Run from the built libraries.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlaceOrdersHandler } from '@v402/application';
import { EmbeddedOrderSystem } from '@v402/order-systems';
import { PgUnitOfWork } from '@v402/persistence';

const { V402_TEST_APP_URL, V402_TEST_ORDERBOOK_URL, V402_TEST_DIES_AT, V402_TEST_DIES_COUNT, V402_TEST_CONTEXT } =
  process.env;

let countdown = Number(V402_TEST_DIES_COUNT);
const faults = {
  reach: async (point) => {
    if (point !== V402_TEST_DIES_AT) return;
    countdown -= 1;
    if (countdown === 0) process.kill(process.pid, 'SIGKILL');
  },
};

const unitOfWork = new PgUnitOfWork({ url: V402_TEST_APP_URL, applicationName: 'placing', maxConnections: 8 });
const handler = new PlaceOrdersHandler(
  unitOfWork,
  new EmbeddedOrderSystem({ url: V402_TEST_ORDERBOOK_URL }),
  { ...JSON.parse(V402_TEST_CONTEXT), ids: { next: () => randomUUID() } },
  { nowMs: () => performance.now() },
  `child ${process.pid}`,
  { hint: () => undefined },
  { raise: (code) => process.stdout.write(`${code}\n`) },
  faults,
);

process.stdout.write('ready\n');
// The test is gone.
process.stdin.once('end', () => process.exit());
process.stdin.once('data', async () => {
  for (;;) {
    if ((await handler.handle()) === 0) await sleep(20);
  }
});
