// Starts Kafka and PostgreSQL once for all projects of a run that need them; the workers find them by the environment.
// Should the run be killed, the watchdog of the parts ends them.
import { KAFKA_VARIABLE, POSTGRES_VARIABLE, startLocalParts } from '@v402/local-parts';

export default async function setup() {
  // Each project asks for it, in one and the same process.
  globalThis.v402LocalParts ??= startLocalParts({ onProgress: (line) => process.stderr.write(`${line}\n`) });
  const { kafka, postgres } = await globalThis.v402LocalParts;
  process.env[KAFKA_VARIABLE] = kafka.brokers.join();
  process.env[POSTGRES_VARIABLE] = postgres.adminUrl;
}
