import type { PublishedEvent } from '@v402/local-system';
import { orderLatencies, percentile } from './latency.js';

function event(type: string, subject: string, timestampMs: number): PublishedEvent {
  return { topic: 't', id: `${type}-${subject}`, type: `org.v402.${type}.v1`, subject, timestampMs };
}

test('latencies run from the sending of a contract to each of its orders', () => {
  const sent = new Map([
    ['a', 1_000],
    ['b', 2_000],
  ]);
  const events = [
    event('settlement.accepted', 'a', 1_005),
    event('order.created', 'a', 1_040),
    event('order.created', 'b', 2_060),
    event('order.created', 'b', 2_070),
    event('order.created', 'unknown', 9_999),
  ];
  expect(orderLatencies(sent, events)).toEqual([40, 60, 70]);
});

test.each([
  [50, 2],
  [75, 3],
  [99, 4],
  [100, 4],
  [1, 1],
])('percentile %i of 4 values', (percent, value) => {
  expect(percentile([3, 1, 4, 2], percent)).toBe(value);
});

test('there is no percentile of nothing', () => {
  expect(percentile([], 50)).toBeUndefined();
});
