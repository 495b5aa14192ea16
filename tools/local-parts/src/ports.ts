import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { PartsError } from './parts-error.js';

/**
 * Below what systems hand out for outgoing connections (32768 and up on Linux, 49152 and up elsewhere): while a part is
 * down, no client's connection can take its port, nor connect to itself on it, and the part can come back on it.
 */
const LOWEST = 20_000;
const HIGHEST = 32_000;
const ATTEMPTS = 5;

async function listen(port: number): Promise<Server | undefined> {
  const server = createServer();
  server.listen({ port, host: '127.0.0.1', exclusive: true });
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}

/** Different ports of 127.0.0.1 that nobody listens on; all are held until the last is found. */
export async function freePorts(count: number): Promise<number[]> {
  const held = new Map<number, Server>();
  for (let tries = 0; held.size < count && tries < 1_000; tries += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    const server = held.has(port) ? undefined : await listen(port);
    if (server) held.set(port, server);
  }
  await Promise.all([...held.values()].map((server) => once(server.close(), 'close')));
  if (held.size < count) throw new PartsError('port_taken', `No free port between ${LOWEST} and ${HIGHEST} was found.`);
  return [...held.keys()];
}

/**
 * Starts something on free ports. Someone else may take one before it is listened on: `start` then throws `port_taken`
 * and is called again with others.
 */
export async function onFreePorts<T>(count: number, start: (ports: number[]) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(await freePorts(count));
    } catch (error) {
      if (!(error instanceof PartsError) || error.code !== 'port_taken' || attempt === ATTEMPTS) throw error;
    }
  }
}
