import { createServer } from 'node:net';
import { PartsError } from './parts-error.js';
import { freePorts, onFreePorts } from './ports.js';

it('finds different ports that can be listened on', async () => {
  const ports = await freePorts(5);
  expect(new Set(ports).size).toBe(5);
  for (const port of ports) {
    const server = createServer().listen(port, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    await new Promise((resolve) => server.close(resolve));
  }
});

it('stays below the ports that outgoing connections get', async () => {
  for (const port of await freePorts(50)) expect(port).toBeLessThan(32_768);
});

it('tries again with other ports when one was taken meanwhile', async () => {
  const tried: number[] = [];
  const port = await onFreePorts(1, async ([candidate]) => {
    tried.push(candidate!);
    if (tried.length < 3) throw new PartsError('port_taken', 'taken');
    return Promise.resolve(candidate);
  });
  expect(tried).toHaveLength(3);
  expect(port).toBe(tried[2]);
});

it('gives up after five attempts', async () => {
  let attempts = 0;
  const start = (): Promise<never> => {
    attempts += 1;
    return Promise.reject(new PartsError('port_taken', 'taken'));
  };
  await expect(onFreePorts(1, start)).rejects.toMatchObject({ code: 'port_taken' });
  expect(attempts).toBe(5);
});

it('does not try again after another error', async () => {
  let attempts = 0;
  const start = (): Promise<never> => {
    attempts += 1;
    return Promise.reject(new PartsError('part_failed', 'no memory'));
  };
  await expect(onFreePorts(1, start)).rejects.toMatchObject({ code: 'part_failed' });
  expect(attempts).toBe(1);
});
