import { CircuitBreaker } from './circuit-breaker.js';

let nowMs: number;
let opened: number;
let circuit: CircuitBreaker;

beforeEach(() => {
  nowMs = 1_000;
  opened = 0;
  const policy = { failures: 3, open: { firstMs: 100, maxMs: 400 } };
  circuit = new CircuitBreaker(policy, { nowMs: () => nowMs }, () => (opened += 1));
});

const fail = (times: number): void => {
  for (let count = 0; count < times; count += 1) circuit.failed();
};

test('default: closed until so many failures in a row, then open for a while, then half open', () => {
  fail(2);
  expect(circuit.state).toBe('closed');
  fail(1);
  expect(circuit.state).toBe('open');
  expect(opened).toBe(1);
  nowMs += 100;
  expect(circuit.state).toBe('half_open');
});

test('behavior: an answer in between starts the count anew', () => {
  fail(2);
  circuit.answered();
  fail(2);
  expect(circuit.state).toBe('closed');
});

test('behavior: an answer closes it, whenever it comes', () => {
  fail(3);
  circuit.answered();
  expect(circuit.state).toBe('closed');
  fail(3);
  nowMs += 100;
  circuit.answered();
  expect(circuit.state).toBe('closed');
  expect(opened).toBe(2);
});

test('behavior: a probe that fails opens it again, for longer each time up to the most, and that is not said again', () => {
  fail(3);
  for (const mostMs of [200, 400, 400, 400]) {
    nowMs += 400;
    expect(circuit.state).toBe('half_open');
    fail(1);
    nowMs += mostMs / 2 - 1;
    expect(circuit.state).toBe('open');
    nowMs += mostMs / 2 + 1;
    expect(circuit.state).toBe('half_open');
  }
  expect(opened).toBe(1);
});

test('behavior: calls from before that fail while it is open do not lengthen it', () => {
  fail(20);
  nowMs += 100;
  expect(circuit.state).toBe('half_open');
});

test.each([
  { what: 'for as long as it said', retryAfterMs: 300, pauseMs: 300 },
  { what: 'never for longer than the most', retryAfterMs: 3_600_000, pauseMs: 400 },
])(
  'behavior: an order system that says when to come back is left alone at once, $what',
  ({ retryAfterMs, pauseMs }) => {
    circuit.failed(retryAfterMs);
    nowMs += pauseMs - 1;
    expect(circuit.state).toBe('open');
    nowMs += 1;
    expect(circuit.state).toBe('half_open');
  },
);

test('behavior: it is answering as long as the last that was heard of it was an answer', () => {
  expect(circuit.isAnswering).toBe(false);
  circuit.answered();
  expect(circuit.isAnswering).toBe(true);
  fail(1);
  expect([circuit.isAnswering, circuit.state]).toEqual([false, 'closed']);
  circuit.answered();
  expect(circuit.isAnswering).toBe(true);
});
