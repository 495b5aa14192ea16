// Intake as a process of its own, from the built libraries. Each line on stdin is a batch of values in base64; each line on
// stdout answers one with its counts. Where STOP_AT names a crash point, it says when it is there, and waits to be killed.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { AcceptContractsHandler } from '@v402/application';
import { DEFAULT_TOPICS } from '@v402/events';
import { PgUnitOfWork } from '@v402/persistence';
import { loadTrustRegistry, TrustedSignatureVerifier } from '@v402/signatures';

const { DATABASE_URL, TRUST_REGISTRY, TOPIC, PARTITION, ARRIVED_AT, STOP_AT } = process.env;
const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

const verifier = new TrustedSignatureVerifier(loadTrustRegistry(readFileSync(TRUST_REGISTRY)));
const handler = new AcceptContractsHandler(
  new PgUnitOfWork({ url: DATABASE_URL, applicationName: `intake ${PARTITION}` }),
  () => verifier,
  { handlerId: null, servedParties: null, requireTranscript: false, conflict: 'hold', codeVersion: 'child' },
  { source: 'urn:v402:handler:test', topics: DEFAULT_TOPICS },
  { next: () => randomUUID() },
  { hint: () => undefined },
  { raise: (code) => process.stderr.write(`alarm ${code}\n`) },
  {
    reach: async (point) => {
      if (point !== STOP_AT) return;
      say(point);
      await new Promise(() => undefined);
    },
  },
);

let offset = 0n;
for await (const line of createInterface({ input: process.stdin })) {
  const messages = JSON.parse(line).map((value) => ({
    coordinates: { topic: TOPIC, partition: Number(PARTITION), offset: offset++ },
    value: Buffer.from(value, 'base64'),
    arrival: { at: ARRIVED_AT, source: 'broker' },
    traceparent: undefined,
  }));
  say(await handler.handle(messages).catch((error) => ({ error: `${error.code}: ${error.message}` })));
}
process.exit();
