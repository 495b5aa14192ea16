import { once } from 'node:events';
import { connect } from 'node:net';

const PROBE_TIMEOUT_MS = 10_000;

/** ApiVersions version 0: key 18, correlation id 1, no client id. */
const API_VERSIONS = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
/** Metadata version 5: key 3, correlation id 2, no client id, of no topic, none made. It names the cluster. */
const METADATA = Buffer.from([0, 0, 0, 15, 0, 3, 0, 5, 0, 0, 0, 2, 0xff, 0xff, 0, 0, 0, 0, 0]);

/**
 * Whether a Kafka broker answers there. With a cluster id, whether it is a broker of that cluster, and not one that took
 * the port before ours did. A broker answers once it is registered.
 */
export async function isKafkaReady(host: string, port: number, clusterId?: string): Promise<boolean> {
  const answer = await exchange(host, port, clusterId === undefined ? API_VERSIONS : METADATA);
  // After size and correlation id, an answer to ApiVersions has its error code.
  if (clusterId === undefined) return answer.length >= 10 && answer.readInt16BE(8) === 0;
  return answer.includes(clusterId);
}

/** Sends one request and returns the whole answer, size included; empty if there is none. */
async function exchange(host: string, port: number, request: Buffer): Promise<Buffer> {
  const socket = connect({ host, port, signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
  let answer = Buffer.alloc(0);
  try {
    await once(socket, 'connect');
    socket.write(request);
    for await (const chunk of socket) {
      answer = Buffer.concat([answer, chunk as Buffer]);
      if (answer.length >= 4 && answer.length >= 4 + answer.readInt32BE(0)) return answer;
    }
  } catch {
    // Nobody listens, or not yet in this language.
  } finally {
    socket.destroy();
  }
  return Buffer.alloc(0);
}
