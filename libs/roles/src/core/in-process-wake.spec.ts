import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { InProcessWake } from './in-process-wake.js';

const LONG_MS = 60_000;
const going = new AbortController().signal;

/** Whether it has resolved by the next turn of the event loop: what a hint or a signal ends has ended by then. */
const isDone = async (promise: Promise<unknown>): Promise<boolean> => {
  const open = Symbol();
  return (await Promise.race([promise, turn(open)])) !== open;
};

test('default: a hint wakes the topic that waits, and no other', async () => {
  const wake = new InProcessWake();
  const stop = new AbortController();
  const orders = wake.wait('orders', LONG_MS, going);
  const relay = wake.wait('relay', LONG_MS, stop.signal);
  wake.hint('orders', 'workflows');
  expect(await isDone(orders)).toBe(true);
  expect(await isDone(relay)).toBe(false);
  stop.abort();
});

test('behavior: a hint that comes while the role is busy is kept, once', async () => {
  const wake = new InProcessWake();
  const stop = new AbortController();
  wake.hint('orders');
  wake.hint('orders');
  expect(await isDone(wake.wait('orders', LONG_MS, going))).toBe(true);
  expect(await isDone(wake.wait('orders', LONG_MS, stop.signal))).toBe(false);
  stop.abort();
});

test('behavior: a hint that ended a wait does not end the next one', async () => {
  const wake = new InProcessWake();
  const stop = new AbortController();
  const first = wake.wait('orders', LONG_MS, going);
  wake.hint('orders');
  await first;
  expect(await isDone(wake.wait('orders', LONG_MS, stop.signal))).toBe(false);
  stop.abort();
});

test('behavior: without a hint the wait ends by itself, and not before its time', async () => {
  const wake = new InProcessWake();
  const story: string[] = [];
  const long = wake.wait('orders', 30, going).then(() => story.push('long'));
  const short = wake.wait('relay', 1, going).then(() => story.push('short'));
  await Promise.all([long, short]);
  expect(story).toEqual(['short', 'long']);
});

test('behavior: an aborted signal ends a wait, and lets none begin', async () => {
  const wake = new InProcessWake();
  const stop = new AbortController();
  const waiting = wake.wait('orders', LONG_MS, stop.signal);
  stop.abort();
  expect(await isDone(waiting)).toBe(true);
  expect(await isDone(wake.wait('orders', LONG_MS, stop.signal))).toBe(true);
});

test('behavior: waiting again and again leaves nothing behind on the signal', async () => {
  const wake = new InProcessWake();
  const stop = new AbortController();
  for (let round = 0; round < 20; round += 1) await wake.wait('orders', 1, stop.signal);
  expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
});
